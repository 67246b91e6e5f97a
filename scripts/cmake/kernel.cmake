# Target kernel.elf: the rooms' sources, freestanding, linked twice: the second time with a table of
# the first's function names and call lines, for panics and traces (scripts/symbols.py).

# The header search path, complete and in this order, so that nothing of the host or of the target's
# libc leaks in: our shim (kernel/std), the cross libstdc++, the compiler's own. The folders are
# asked from the compiler; options, because CMake drops SYSTEM folders that the compiler implies.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -E -x c++ -v /dev/null
                OUTPUT_QUIET ERROR_VARIABLE verbose)
string(REGEX REPLACE ".*#include <[.][.][.]> search starts here:\n(.*)End of search list.*" "\\1"
       folders "${verbose}")
string(REGEX REPLACE "[ \n]+" ";" folders "${folders}")
set(kernel_headers -nostdinc "SHELL:-isystem ${CMAKE_SOURCE_DIR}/kernel/std")
foreach(folder ${folders})
  get_filename_component(folder "${folder}" REALPATH)
  if((folder MATCHES "/c\\+\\+/" AND NOT folder MATCHES "/backward$")
     OR folder MATCHES "/lib/gcc.*/include(-fixed)?$")
    list(APPEND kernel_headers "SHELL:-isystem ${folder}")
  endif()
endforeach()
if(NOT kernel_headers MATCHES "/c\\+\\+/")
  message(FATAL_ERROR "${CMAKE_CXX_COMPILER} has no C++ library headers")
endif()

set(room_patterns)
foreach(room boot kernel mm fs drivers)
  list(APPEND room_patterns ${room}/*.cpp ${room}/*.S)
endforeach()
file(GLOB_RECURSE kernel_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${room_patterns})
list(FILTER kernel_sources EXCLUDE REGEX "^kernel/std/")
if(NOT ORRERY_LINUX_WING)
  list(FILTER kernel_sources EXCLUDE REGEX "^kernel/linux/")
endif()

# The font for screens of pixels comes out of the VGA BIOS that QEMU has (package seabios).
find_file(ORRERY_VGABIOS vgabios-stdvga.bin PATHS /usr/share/seabios /usr/share/qemu /usr/local/share/qemu
          NO_DEFAULT_PATH)
set(vgabios)
if(ORRERY_VGABIOS)
  set(vgabios ${ORRERY_VGABIOS})
endif()
add_custom_command(OUTPUT font.cpp
  COMMAND ${PYTHON} -IS ${CMAKE_SOURCE_DIR}/scripts/font.py ${ORRERY_VGABIOS} font.cpp
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/font.py ${vgabios} VERBATIM)

set(stack_protector -fno-stack-protector)
if(ORRERY_STACK_PROTECTOR)
  set(stack_protector -fstack-protector-strong -mstack-protector-guard=global)
endif()
add_library(kernel_objects OBJECT ${kernel_sources} ${CMAKE_BINARY_DIR}/font.cpp)
set_source_files_properties(${CMAKE_BINARY_DIR}/font.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
target_include_directories(kernel_objects PRIVATE ${CMAKE_SOURCE_DIR} ${policy_headers})
# Traps leave the stack aligned by 4 only; what wants more aligns itself.
target_compile_options(kernel_objects PRIVATE
  -mpreferred-stack-boundary=2
  -march=i686 -mtune=generic -mgeneral-regs-only -ffreestanding -fno-pie -fno-pic -g
  -fno-omit-frame-pointer -fno-asynchronous-unwind-tables ${stack_protector}
  -fno-strict-aliasing -fcf-protection=none -ffunction-sections -fdata-sections
  -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=
  -Wall -Wextra $<IF:$<BOOL:${ORRERY_DEBUG}>,-Og,-O2> $<$<BOOL:${ORRERY_WERROR}>:-Werror>
  ${kernel_headers}
  $<$<COMPILE_LANGUAGE:CXX>:-std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics
    -fno-use-cxa-atexit -Wno-psabi>)
target_compile_definitions(kernel_objects PRIVATE
  _GLIBCXX_ASSERTIONS $<$<BOOL:${ORRERY_DEBUG}>:ORRERY_DEBUG=1;ORRERY_CHECK_LOCKS=1>)

# Sources of one folder are compiled in groups of about eight (a "unity build"), because most of a
# file's cost is its headers. A file's group follows from its name, so that a new file changes one
# group. Names in unnamed namespaces must differ within a folder; the compiler says where they do not.
# Drivers are compiled one by one: they include little, and their registers have the same names.
option(ORRERY_GROUPS "compile the kernel's sources in groups" ON)
set(folders)
set(grouped ${kernel_sources})
list(FILTER grouped EXCLUDE REGEX "^drivers/|\\.S$")
foreach(source ${grouped})
  get_filename_component(folder ${source} DIRECTORY)
  list(APPEND folders ${folder})
  list(APPEND sources_${folder} ${source})
endforeach()
list(REMOVE_DUPLICATES folders)
foreach(folder ${folders})
  list(LENGTH sources_${folder} count)
  foreach(source ${sources_${folder}})
    string(MD5 hash ${source})
    string(SUBSTRING ${hash} 0 6 hash)
    math(EXPR group "0x${hash} % ((${count} + 7) / 8)")
    string(REPLACE / _ group ${folder}_${group})
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
endforeach()
set_target_properties(kernel_objects PROPERTIES UNITY_BUILD ${ORRERY_GROUPS} UNITY_BUILD_MODE GROUP)
if(ORRERY_GROUPS)
  # The library's headers are parsed once. None of ours: a change would recompile everything.
  target_precompile_headers(kernel_objects PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${CMAKE_SOURCE_DIR}/scripts/cmake/kernel_library.hpp>)
endif()

set(kernel_script ${CMAKE_SOURCE_DIR}/boot/kernel.ld)
set(kernel_link_options
  $<$<BOOL:${ORRERY_DEBUG}>:-Wl,--defsym=__locks_are_checked=1>  # before the script reads it
  -nostdlib -static -no-pie -Wl,-T,${kernel_script} -Wl,--build-id=none -Wl,-z,noexecstack
  -Wl,-z,max-page-size=4096 -Wl,--gc-sections -Wl,--orphan-handling=error)

# No public target, but the input of the name table.
add_executable(kernel.pass1 $<TARGET_OBJECTS:kernel_objects>)
set(symbols_py ${CMAKE_SOURCE_DIR}/scripts/symbols.py)
add_custom_command(OUTPUT symbols.S
  COMMAND ${PYTHON} -IS ${symbols_py} make --cross ${ORRERY_CROSS} --root ${CMAKE_SOURCE_DIR} ${seed_root} --
          $<TARGET_FILE:kernel.pass1> symbols.S
  DEPENDS kernel.pass1 ${symbols_py} VERBATIM)
add_executable(kernel.elf $<TARGET_OBJECTS:kernel_objects> ${CMAKE_BINARY_DIR}/symbols.S)
add_custom_command(TARGET kernel.elf POST_BUILD
  COMMAND ${PYTHON} -IS ${symbols_py} check --cross ${ORRERY_CROSS}
          $<TARGET_FILE:kernel.pass1> $<TARGET_FILE:kernel.elf> VERBATIM)
foreach(kernel kernel.pass1 kernel.elf)
  set_target_properties(${kernel} PROPERTIES LINKER_LANGUAGE CXX LINK_DEPENDS ${kernel_script})
  target_link_options(${kernel} PRIVATE ${kernel_link_options})
  target_link_libraries(${kernel} PRIVATE gcc)
endforeach()
