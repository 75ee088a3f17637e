//! The judgement as others see it: facts and policy in, findings out.
//!
//! One binary, so that the machines made by hand are built once. `cfg(test)` tells the lints that all of it is test.

#[cfg(test)]
mod agreed;
#[cfg(test)]
mod media_rings;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod quiet;
#[cfg(test)]
mod rings;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod support;
#[cfg(test)]
mod visits;
#[cfg(test)]
mod wire_quiet;
#[cfg(test)]
mod wire_rings;
#[cfg(test)]
mod wire_support;
#[cfg(test)]
mod written;
