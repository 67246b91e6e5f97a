# The cross compiler: the distribution's i686-linux-gnu-, else a bare-metal i686-elf-; another one by
# -DORRERY_CROSS=prefix- (or the environment variable of that name). The kernel uses nothing of the
# target's C library; the programs in user/ do, so with i686-elf- only the kernel is built.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ORRERY_CROSS)

if(NOT ORRERY_CROSS AND DEFINED ENV{ORRERY_CROSS})
  set(ORRERY_CROSS "$ENV{ORRERY_CROSS}")
endif()
if(NOT ORRERY_CROSS)
  foreach(prefix i686-linux-gnu- i686-elf-)
    find_program(compiler_${prefix} ${prefix}g++)
    if(compiler_${prefix})
      set(ORRERY_CROSS ${prefix})
      break()
    endif()
  endforeach()
endif()
if(NOT ORRERY_CROSS)
  message(FATAL_ERROR "No cross compiler: neither i686-linux-gnu-g++ nor i686-elf-g++ is in PATH. "
                      "scripts/setup installs the first.")
endif()
set(ORRERY_CROSS "${ORRERY_CROSS}" CACHE STRING "prefix of the cross toolchain's commands")

set(CMAKE_C_COMPILER ${ORRERY_CROSS}gcc)
set(CMAKE_CXX_COMPILER ${ORRERY_CROSS}g++)
set(CMAKE_ASM_COMPILER ${ORRERY_CROSS}gcc)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
