//! Plots for reports and pages.
