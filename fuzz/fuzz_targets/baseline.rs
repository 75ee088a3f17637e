//! A baseline file: what is read and rendered reads back the same, and faults are at a place that exists.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match verdict::baseline::parse("b", text) {
        Ok(baseline) => {
            let rendered = baseline.render();
            let again = verdict::baseline::parse("b", &rendered).unwrap_or_else(|fault| panic!("{fault}\n{rendered}"));
            assert_eq!(again, baseline);
            // Once rendered, the text does not change any more.
            assert_eq!(again.render(), rendered);
            assert_eq!(baseline.lines().count(), baseline.len());
        }
        Err(fault) => {
            assert!((1..=text.split('\n').count()).contains(&fault.line), "{fault}");
        }
    }
});
