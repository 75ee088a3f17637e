//! Counts the frames of an interface until a line comes on standard input: what reading costs.

#![expect(clippy::print_stdout, reason = "an example says what it found")]

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use portreeve_host::capture::{Capture, CaptureRequest};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    let interfaces: Vec<String> = std::env::args().skip(1).collect();
    let mut capture = Capture::open(&CaptureRequest { interfaces, ..CaptureRequest::default() })?;
    let (mut frames, mut bytes) = (0_u64, 0_u64);
    let over = AtomicBool::new(false);
    println!("listening on {:?}", capture.interfaces());
    let counts = std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::stdin().read_line(&mut String::new());
            over.store(true, Ordering::Relaxed);
        });
        let mut each = |captured: portreeve_host::capture::Captured<'_>| {
            frames += 1;
            bytes += captured.frame.bytes.iter().step_by(64).map(|byte| u64::from(*byte)).sum::<u64>();
        };
        while !over.load(Ordering::Relaxed) {
            capture.wait(Duration::from_millis(200), &mut each)?;
        }
        capture.finish(&mut each)
    })?;
    println!("{frames} frames, checksum {bytes}, {counts:?}");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("{}", portreeve_host::capture::CaptureError::NotSupported);
}
