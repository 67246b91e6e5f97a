# all.hpp beside each kind's policies, but in the build folder: it includes every header of the folder, so
# that a new policy is a file there and a word in its list (kernel/lib/policy_list.hpp).
# Sets policy_headers, the folder to include from. Takes `root`, the repository's.
set(policy_headers ${CMAKE_BINARY_DIR}/policies)
foreach(folder drivers/elevators fs/free_space kernel/sched/policies kernel/deadlock/strategies mm/frame_allocation mm/heap/placements
               mm/load_control mm/replacement)
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${root} ${root}/${folder}/*.hpp)
  list(TRANSFORM headers REPLACE "(.+)" "#include \"\\1\"\n")
  list(JOIN headers "" text)
  file(CONFIGURE OUTPUT ${policy_headers}/${folder}/all.hpp CONTENT "#pragma once\n${text}" @ONLY)
endforeach()
