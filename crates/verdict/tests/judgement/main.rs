//! The judgement as others see it: facts and policy in, findings out.

mod pages;
mod quiet;
mod rings;
mod speed;
mod support;
mod written;
