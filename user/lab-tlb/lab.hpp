// The two halves of lab-tlb. Each returns the program's status.
#pragma once

int show_model(int argc, char** argv);
int show_stale(int argc, char** argv);
