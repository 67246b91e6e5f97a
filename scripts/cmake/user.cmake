# The programs that run in the guest, with the cross toolchain's own libc:
#   user/NAME.{c,cpp,S}         -> /bin/NAME (init: /sbin/init), linked statically
#   user/NAME/*.{c,cpp,S}       -> /bin/NAME, from all the files of the folder, the same
#   user/lab/*.cpp              what the programs lab-* share, linked to each of them
#   tests/guest/NAME.{c,cpp,S}  -> /usr/lib/orrery/tests/NAME of the tests' image (tests/image),
#                                  linked when loaded, by the toolchain's ld.so and shared libraries
#                                  in /lib; a test in which `linking: static` stands is as those above
# Assembly programs get no libc. The unstripped files stay here for GDB, stripped copies go into the
# image. guest_files collects "HOST:GUEST" for it, guest_outputs the files to depend on (of the
# disk.img: image_files, image_outputs); tests are built when they are asked for.
set(guest_files)
set(guest_outputs)

execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libc.a
                OUTPUT_VARIABLE libc OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT IS_ABSOLUTE "${libc}")
  message(WARNING "${CMAKE_C_COMPILER} has no libc: the image gets no programs of ours")
  return()
endif()

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/stripped/bin ${CMAKE_BINARY_DIR}/stripped/sbin
     ${CMAKE_BINARY_DIR}/stripped/lib ${CMAKE_BINARY_DIR}/stripped/usr/lib/orrery/tests)

# guest_strip(file path-in-guest): into the image with it, stripped
function(guest_strip file path)
  set(stripped ${CMAKE_BINARY_DIR}/stripped${path})
  add_custom_command(OUTPUT ${stripped} COMMAND ${CMAKE_STRIP} -o ${stripped} ${file}
                     DEPENDS ${file} ${ARGN} VERBATIM)
  set(guest_files ${guest_files} ${stripped}:${path} PARENT_SCOPE)
  set(guest_outputs ${guest_outputs} ${stripped} PARENT_SCOPE)
endfunction()

set(shared_linking ON)
foreach(library ld-linux.so.2 libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6 libdl.so.2
        libpthread.so.0 librt.so.1)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=${library}
                  OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(IS_ABSOLUTE "${path}")
    get_filename_component(path ${path} REALPATH)
    guest_strip(${path} /lib/${library})
  else()
    message(WARNING "${CMAKE_C_COMPILER} has no ${library}: all programs are linked statically")
    set(shared_linking OFF)
  endif()
endforeach()

set(guest_flags -march=i686 -O2 -g -fno-pie -Wall -Wextra $<$<BOOL:${ORRERY_WERROR}>:-Werror>
    $<$<COMPILE_LANGUAGE:C>:-std=gnu11> $<$<COMPILE_LANGUAGE:CXX>:-std=gnu++20>)

# The library's headers are parsed once for all programs in C++.
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/user-library.cpp CONTENT "")
add_library(user-library OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/user-library.cpp)
target_compile_options(user-library PRIVATE ${guest_flags} -pthread)
target_precompile_headers(user-library PRIVATE ${CMAKE_SOURCE_DIR}/scripts/cmake/user_library.hpp)

file(GLOB sources CONFIGURE_DEPENDS user/lab/*.cpp)
add_library(user-lab STATIC ${sources})
target_include_directories(user-lab PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_options(user-lab PRIVATE ${guest_flags} -pthread)
target_precompile_headers(user-lab REUSE_FROM user-library)

# guest_program(target directory-in-guest name static|shared sources...)
function(guest_program target folder name linking)
  add_executable(${target} EXCLUDE_FROM_ALL ${ARGN})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
                        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/programs${folder})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR} ${policy_headers})
  target_compile_options(${target} PRIVATE ${guest_flags})
  target_link_options(${target} PRIVATE -no-pie)
  if(linking STREQUAL static OR NOT shared_linking)
    target_link_options(${target} PRIVATE -static)
  endif()
  if(name MATCHES "^lab-")
    target_link_libraries(${target} PRIVATE user-lab)
  endif()
  if("${ARGN}" MATCHES "\\.cpp(;|$)")
    target_precompile_headers(${target} REUSE_FROM user-library)
  endif()
  # A macro such as _FILE_OFFSET_BITS has to come before the first header of the library.
  foreach(source ${ARGN})
    file(STRINGS ${source} macros REGEX "^#define _" LIMIT_INPUT 4096)
    if(macros)
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
  if("${ARGN}" MATCHES "\\.(c|cpp)(;|$)")
    target_compile_options(${target} PRIVATE -pthread)
    target_link_options(${target} PRIVATE -pthread)
  else()
    target_link_options(${target} PRIVATE -nostdlib -Wl,--build-id=none)
  endif()
  guest_strip($<TARGET_FILE:${target}> ${folder}/${name} ${target})
  set(guest_files ${guest_files} PARENT_SCOPE)
  set(guest_outputs ${guest_outputs} PARENT_SCOPE)
endfunction()

file(GLOB single CONFIGURE_DEPENDS user/*.c user/*.cpp user/*.S)
foreach(source ${single})
  get_filename_component(name ${source} NAME_WE)
  if(name STREQUAL init)
    guest_program(user-init /sbin init static ${source})
  else()
    guest_program(user-${name} /bin ${name} static ${source})
  endif()
endforeach()

file(GLOB entries CONFIGURE_DEPENDS LIST_DIRECTORIES true user/*)
list(REMOVE_ITEM entries ${CMAKE_SOURCE_DIR}/user/lab)
foreach(entry ${entries})
  if(IS_DIRECTORY ${entry})
    file(GLOB sources CONFIGURE_DEPENDS ${entry}/*.c ${entry}/*.cpp ${entry}/*.S)
    get_filename_component(name ${entry} NAME)
    if(sources)
      guest_program(user-${name} /bin ${name} static ${sources})
    endif()
  endif()
endforeach()

set(image_files ${guest_files})
set(image_outputs ${guest_outputs})
set(guest_outputs)
file(GLOB single CONFIGURE_DEPENDS tests/guest/*.c tests/guest/*.cpp tests/guest/*.S)
foreach(source ${single})
  get_filename_component(name ${source} NAME_WE)
  file(STRINGS ${source} tag REGEX "linking: static" LIMIT_INPUT 4096)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  set(linking shared)
  if(tag)
    set(linking static)
  endif()
  guest_program(guest-${name} /usr/lib/orrery/tests ${name} ${linking} ${source})
  # A target each: what is attached to one target waits for all that the target needs.
  add_custom_target(guest-${name}-stripped DEPENDS ${CMAKE_BINARY_DIR}/stripped/usr/lib/orrery/tests/${name})
  list(APPEND guest_tests guest-${name}-stripped)
endforeach()
add_custom_target(guest_tests)
if(guest_tests)  # a student's tree has none
  add_dependencies(guest_tests ${guest_tests})
endif()
