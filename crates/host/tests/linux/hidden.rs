//! What one way of looking does not show: a thread's own descriptors, a process without a folder in /proc, and
//! everything that only a kernel program could have told.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use model::{Area, How, Kind, Reason, Views};
use rustix::thread::{CapabilitySet, UnshareFlags, capabilities, set_capabilities};

use crate::stage::{Keeper, find, listener, look, netns, private, run, unshare, with_bpf};

#[test]
fn a_thread_with_descriptors_of_its_own_is_named() {
    let name = "a_thread_with_descriptors_of_its_own_is_named";
    private(name, || {
        let (tell, told) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                unshare(UnshareFlags::FILES).unwrap();
                // What was copied is not ours to keep open.
                #[expect(unsafe_code, reason = "closing in bulk has no safe interface")]
                // SAFETY: the table is this thread's own, and the thread uses none of the descriptors copied into it.
                unsafe {
                    libc::close_range(3, u32::MAX, 0)
                };
                let (listener, port) = listener();
                tell.send((rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned(), port)).unwrap();
                let _ = ended.recv();
                drop(listener);
            });
            let (tid, port) = told.recv().unwrap();
            let snapshot = look(false);
            if with_bpf(name, &snapshot) {
                let socket = find(&snapshot, netns(), Kind::Tcp, port);
                let holders: Vec<_> = socket.holders.iter().map(|holder| (holder.pid, holder.tid)).collect();
                assert_eq!(
                    holders,
                    [(std::process::id(), Some(tid))],
                    "the process's first thread has it not"
                );
                assert_eq!((socket.holders_missing, socket.hidden_from), (None, Views::default()));
            }
            drop(end);
        });
    });
}

#[test]
fn a_process_that_proc_does_not_show_is_named_by_the_kernel() {
    let name = "a_process_that_proc_does_not_show_is_named_by_the_kernel";
    private(name, || {
        let (listener, port) = listener();
        let keeper = Keeper::of(listener);
        let folder = format!("/proc/{}", keeper.pid());
        if let Err(why) = run("mount", &["-t", "tmpfs", "none", &folder]) {
            return eprintln!("SKIPPED: {name}: {why}");
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        let snapshot = look(false);
        if !with_bpf(name, &snapshot) {
            return;
        }
        let socket = find(&snapshot, netns(), Kind::Tcp, port);
        let holders: Vec<_> = socket.holders.iter().map(|holder| (holder.pid, holder.how)).collect();
        assert_eq!(holders, [(keeper.pid(), How::BpfIterator)]);
        let process = snapshot.process(keeper.pid()).unwrap();
        assert!(process.hidden_from_proc, "{process:?}");
        assert_eq!((process.comm.as_str(), process.exe.value()), ("sleep", None));
    });
}

#[test]
fn without_kernel_programs_proc_names_our_own_processes_and_the_rest_are_gaps() {
    let name = "without_kernel_programs_proc_names_our_own_processes_and_the_rest_are_gaps";
    private(name, || {
        let (ours, our_port) = listener();
        let (theirs, their_port) = listener();
        let keeper = Keeper::of(theirs);
        let mut sets = capabilities(None).unwrap();
        let taken = CapabilitySet::BPF
            | CapabilitySet::PERFMON
            | CapabilitySet::SYS_ADMIN
            | CapabilitySet::SYS_PTRACE
            | CapabilitySet::DAC_READ_SEARCH;
        sets.effective.remove(taken);
        sets.permitted.remove(taken);
        set_capabilities(None, sets).unwrap();
        let snapshot = look(false);
        assert!(!snapshot.views.has(Views::BPF) && !snapshot.machine.privileged);
        let socket = find(&snapshot, netns(), Kind::Tcp, our_port);
        let holders: Vec<_> = socket.holders.iter().map(|holder| (holder.pid, holder.how)).collect();
        assert_eq!(holders, [(std::process::id(), How::ProcFd)]);
        let socket = find(&snapshot, netns(), Kind::Tcp, their_port);
        assert_eq!((socket.holders.len(), socket.holders_missing), (0, Some(Reason::NoPermission)));
        let gap = snapshot.gaps.iter().find(|gap| gap.area == Area::Holders).unwrap();
        assert_eq!((gap.reason, gap.count), (Reason::NoPermission, Some(1)), "{gap:?}");
        drop((ours, keeper));
    });
}

/// Names the port of a listener that a process outside of the PID namespace holds; set for the test that plays inside.
const OUTSIDE: &str = "PORTREEVE_TEST_PORT_OUTSIDE";

#[test]
fn from_inside_a_pid_namespace_numbers_are_its_own_and_the_rest_is_elsewhere() {
    let name = "from_inside_a_pid_namespace_numbers_are_its_own_and_the_rest_is_elsewhere";
    if let Ok(port) = std::env::var(OUTSIDE) {
        return inside_a_pid_namespace(name, port.parse().unwrap());
    }
    private(name, || {
        let (listener, port) = listener();
        let exact = format!("hidden::{name}");
        let output = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", &exact, "--nocapture"])
            .env(OUTSIDE, port.to_string())
            .stdin(Stdio::null())
            .output();
        match output {
            Err(error) => eprintln!("SKIPPED: {name}: unshare: {error}"),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
                eprintln!("{said}");
                assert!(output.status.success() && said.contains("1 passed"), "{said}");
            }
        }
        drop(listener);
    });
}

fn inside_a_pid_namespace(name: &str, outside: u16) {
    let pid = std::process::id();
    assert!(pid < 10, "a new namespace begins to count anew, and this is {pid}");
    let ours = TcpListener::bind("0.0.0.0:0").unwrap();
    let snapshot = look(false);
    if !with_bpf(name, &snapshot) {
        return;
    }
    let socket = find(&snapshot, netns(), Kind::Tcp, ours.local_addr().unwrap().port());
    let holders: Vec<_> = socket.holders.iter().map(|holder| (holder.pid, holder.how)).collect();
    assert_eq!(holders, [(pid, How::BpfIterator)]);
    assert!(snapshot.process(pid).unwrap().exe.value().is_some());
    let socket = find(&snapshot, netns(), Kind::Tcp, outside);
    assert_eq!((socket.holders.len(), socket.holders_missing), (0, Some(Reason::OtherPidNamespace)));
}
