# The queues of threads at a moment when three compute and a fourth has just been told to end.
hbreak *kernel_main
continue
delete
break *kill_processes
continue
runq
