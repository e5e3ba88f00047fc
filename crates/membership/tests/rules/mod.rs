//! Every rule, one table each.

mod adjustments;
mod beyond_the_seed;
mod faults;
mod seed;
