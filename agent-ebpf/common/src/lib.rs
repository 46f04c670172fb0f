//! Every byte layout that crosses the boundary between the kernel half and the user half.
#![no_std]
