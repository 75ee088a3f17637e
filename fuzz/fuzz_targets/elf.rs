//! Objects: sections lie inside the file, symbols and relocations refer to what is there.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match wire::elf::parse(bytes) {
        Ok(object) => {
            let within = bytes.as_ptr_range();
            for section in &object.sections {
                let part = section.bytes.as_ptr_range();
                assert!(section.bytes.is_empty() || (within.start <= part.start && part.end <= within.end));
                assert!(u64::try_from(section.bytes.len()).unwrap() <= section.size);
                assert!(!section.name.contains(&0));
                let (_, found) = object.section(section.name).unwrap();
                assert_eq!(found.name, section.name);
            }
            assert!(object.symbols.iter().all(|symbol| !symbol.name.contains(&0)));
            // Every entry takes room in the file, so that a count cannot make memory out of nothing.
            assert!(object.symbols.len() <= bytes.len() / 24);
            assert!(object.relocations.len() <= bytes.len() / 16);
            wire::elf::check(bytes);
        }
        Err(fault) => assert_eq!(fault.layer, "elf"),
    }
});
