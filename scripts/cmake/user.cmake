# The programs that run in the guest, each linked statically with the cross toolchain's own libc:
#   user/NAME.{c,cpp,S}         -> /bin/NAME (init: /sbin/init)
#   user/NAME/*.{c,cpp,S}       -> /bin/NAME, from all the files of the folder
#   tests/guest/NAME.{c,cpp,S}  -> /usr/lib/orrery/tests/NAME
# Assembly programs get no libc. The unstripped files stay here for GDB, stripped copies go into the
# image. guest_files collects "HOST:GUEST" for it, guest_outputs the files to depend on.
set(guest_files)
set(guest_outputs)
set(guest_targets)

execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libc.a
                OUTPUT_VARIABLE libc OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT IS_ABSOLUTE "${libc}")
  message(WARNING "${CMAKE_C_COMPILER} has no libc: the image gets no programs of ours")
  return()
endif()

# guest_program(target directory-in-guest name sources...)
function(guest_program target folder name)
  add_executable(${target} ${ARGN})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
                        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/programs${folder})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${target} PRIVATE
    -march=i686 -O2 -g -fno-pie -Wall -Wextra $<$<BOOL:${ORRERY_WERROR}>:-Werror>
    $<$<COMPILE_LANGUAGE:C>:-std=gnu11> $<$<COMPILE_LANGUAGE:CXX>:-std=gnu++20>)
  target_link_options(${target} PRIVATE -static -no-pie)
  if("${ARGN}" MATCHES "\\.(c|cpp)(;|$)")
    target_compile_options(${target} PRIVATE -pthread)
    target_link_options(${target} PRIVATE -pthread)
  else()
    target_link_options(${target} PRIVATE -nostdlib -Wl,--build-id=none)
  endif()
  set(stripped ${CMAKE_BINARY_DIR}/stripped${folder}/${name})
  add_custom_command(OUTPUT ${stripped}
    COMMAND ${CMAKE_STRIP} -o ${stripped} $<TARGET_FILE:${target}>
    DEPENDS ${target} VERBATIM)
  set(guest_files ${guest_files} ${stripped}:${folder}/${name} PARENT_SCOPE)
  set(guest_outputs ${guest_outputs} ${stripped} PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/stripped/bin ${CMAKE_BINARY_DIR}/stripped/sbin
     ${CMAKE_BINARY_DIR}/stripped/usr/lib/orrery/tests)

file(GLOB single CONFIGURE_DEPENDS user/*.c user/*.cpp user/*.S)
foreach(source ${single})
  get_filename_component(name ${source} NAME_WE)
  if(name STREQUAL init)
    guest_program(user-init /sbin init ${source})
  else()
    guest_program(user-${name} /bin ${name} ${source})
  endif()
endforeach()

file(GLOB entries CONFIGURE_DEPENDS LIST_DIRECTORIES true user/*)
foreach(entry ${entries})
  if(IS_DIRECTORY ${entry})
    file(GLOB sources CONFIGURE_DEPENDS ${entry}/*.c ${entry}/*.cpp ${entry}/*.S)
    get_filename_component(name ${entry} NAME)
    if(sources)
      guest_program(user-${name} /bin ${name} ${sources})
    endif()
  endif()
endforeach()

file(GLOB single CONFIGURE_DEPENDS tests/guest/*.c tests/guest/*.cpp tests/guest/*.S)
foreach(source ${single})
  get_filename_component(name ${source} NAME_WE)
  guest_program(guest-${name} /usr/lib/orrery/tests ${name} ${source})
endforeach()
