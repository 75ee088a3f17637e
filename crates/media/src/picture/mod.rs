//! Planar pictures, and what a person sees of them: RGB, PNG.
