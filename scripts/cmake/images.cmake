# disk.img, the ext2 root (the same bytes whenever and by whomever it is built from the same
# programs), and orrery.iso, GRUB with the kernel.
set(mkimage ${CMAKE_SOURCE_DIR}/scripts/mkimage.py)
file(GLOB_RECURSE skeleton CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/user/rootfs/*)

# The list of programs is a file, so that adding or removing one rebuilds the image.
list(JOIN image_files "\n" lines)
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/image.list CONTENT "${lines}\n")
set(busybox_dependency)
if(EXISTS ${ORRERY_BUSYBOX})
  set(busybox_dependency ${ORRERY_BUSYBOX})
endif()
add_custom_command(OUTPUT disk.img
  COMMAND ${PYTHON} -IS ${mkimage} --out disk.img --list image.list --busybox ${ORRERY_BUSYBOX}
          --skeleton ${CMAKE_SOURCE_DIR}/user/rootfs
  DEPENDS ${mkimage} ${CMAKE_BINARY_DIR}/image.list ${image_outputs} ${skeleton}
          ${busybox_dependency}
  VERBATIM)
add_custom_target(disk ALL DEPENDS ${CMAKE_BINARY_DIR}/disk.img)

set(grub_cfg ${CMAKE_SOURCE_DIR}/boot/grub.cfg)
add_custom_command(OUTPUT orrery.iso
  COMMAND ${CMAKE_COMMAND} -E make_directory iso/boot/grub
  COMMAND ${CMAKE_STRIP} --strip-debug -o iso/boot/kernel.elf $<TARGET_FILE:kernel.elf>
  COMMAND ${CMAKE_COMMAND} -E copy ${grub_cfg} iso/boot/grub/grub.cfg
  COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=1767225600
          ${CMAKE_SOURCE_DIR}/scripts/mkiso orrery.iso iso
  DEPENDS kernel.elf ${grub_cfg} ${CMAKE_SOURCE_DIR}/scripts/mkiso VERBATIM)
add_custom_target(iso ALL DEPENDS ${CMAKE_BINARY_DIR}/orrery.iso)
