//! Real compute kernels.
