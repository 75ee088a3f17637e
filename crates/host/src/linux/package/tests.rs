//! Databases of packages: made trees, this machine's own, and one that rpm builds.

use super::*;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Made(PathBuf);

impl Made {
    fn new(name: &str) -> Made {
        let path = std::env::temp_dir().join(format!("portreeve-package-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Made(path)
    }

    fn file(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn ask(&self, paths: &[&str]) -> (Vec<Seen<Owned>>, Vec<Gap>) {
        let mut gaps = Vec::new();
        let found = owners(&Tree::open(&self.0).unwrap(), paths, &mut gaps);
        (found, gaps)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn names(found: &[Seen<Owned>]) -> Vec<Option<(&str, &str)>> {
    found
        .iter()
        .map(|owned| owned.value().map(|owned| (owned.name.as_str(), owned.version.as_str())))
        .collect()
}

fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

#[test]
fn without_a_database_nobody_can_say() {
    let made = Made::new("none");
    assert_eq!(made.ask(&["/bin/a"]).0, [Seen::Hidden(Reason::NotSupported)]);
}

#[test]
fn dpkg_with_aliases_architectures_and_diversions() {
    let made = Made::new("dpkg");
    let info = "var/lib/dpkg/info";
    made.file(&format!("{info}/bash.list"), "/.\n/bin\n/bin/bash\n");
    made.file(&format!("{info}/bash.md5sums"), "000102030405060708090a0b0c0d0e0f  bin/bash\n");
    made.file(&format!("{info}/libx:amd64.list"), "/usr/lib/x\n");
    made.file(&format!("{info}/old.list"), "/usr/bin/tool\n");
    made.file(&format!("{info}/new.list"), "/usr/bin/tool\n");
    made.file(&format!("{info}/gone.list"), "/usr/bin/gone\n");
    made.file(
        "var/lib/dpkg/diversions",
        "/usr/bin/tool\n/usr/bin/tool.old\nnew\n/usr/lib/x\n/usr/lib/x.mine\n:\n",
    );
    made.file(
        "var/lib/dpkg/status",
        "Package: bash\nStatus: install ok installed\nVersion: 5\n\nPackage: old\nStatus: install ok installed\nVersion: 1\n\n\
         Package: new\nStatus: install ok installed\nVersion: 2\n\nPackage: libx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3\n\n\
         Package: gone\nStatus: deinstall ok config-files\nVersion: 4\n",
    );
    let paths = [
        "/usr/bin/bash",
        "/usr/bin/tool",
        "/usr/bin/tool.old",
        "/usr/lib/x",
        "/usr/lib/x.mine",
        "/usr/bin/gone",
        "/opt/z",
    ];
    let (found, gaps) = made.ask(&paths);
    let expected =
        [Some(("bash", "5")), Some(("new", "2")), Some(("old", "1")), None, Some(("libx", "3")), None, None];
    assert_eq!(names(&found), expected);
    assert_eq!(
        found[0].value().unwrap().recorded,
        Recorded::Md5(std::array::from_fn(|n| u8::try_from(n).unwrap()))
    );
    assert_eq!((&found[6], gaps.len()), (&Seen::Absent, 0));
    // One path alone takes the other way of searching.
    for (path, expected) in paths.iter().zip(expected) {
        assert_eq!(names(&made.ask(&[path]).0), [expected], "{path}");
    }
}

#[test]
fn images_made_of_packages_without_dpkg() {
    let made = Made::new("parts");
    made.file("var/lib/dpkg/status.d/app", "Package: app\nVersion: 7-1\n");
    made.file("var/lib/dpkg/status.d/app.md5sums", "000102030405060708090a0b0c0d0e0f  usr/bin/app\n");
    assert_eq!(names(&made.ask(&["/usr/bin/app", "/usr/bin/b"]).0), [Some(("app", "7-1")), None]);
}

#[test]
fn apk() {
    let made = Made::new("apk");
    made.file(
        "lib/apk/db/installed",
        "P:busybox\nV:1.37\nF:bin\nR:busybox\nZ:Q1AAECAwQFBgcICQoLDA0ODxAREhM=\n\n",
    );
    let (found, _) = made.ask(&["/bin/busybox", "/usr/bin/busybox", "/bin/other"]);
    assert_eq!(names(&found), [Some(("busybox", "1.37")), Some(("busybox", "1.37")), None]);
    assert!(matches!(found[0].value().unwrap().recorded, Recorded::Sha1(_)));
    made.file("lib/apk/db/installed", "nonsense");
    let (found, gaps) = made.ask(&["/bin/busybox"]);
    assert_eq!((&found[0], gaps.len()), (&Seen::Hidden(Reason::Damaged), 1));
}

#[test]
fn older_and_damaged_rpm_databases_are_gaps() {
    let made = Made::new("rpm-old");
    made.file("var/lib/rpm/Packages", "x");
    let (found, gaps) = made.ask(&["/bin/a"]);
    assert_eq!((&found[0], gaps[0].reason), (&Seen::Hidden(Reason::NotSupported), Reason::NotSupported));
    made.file("usr/lib/sysimage/rpm/rpmdb.sqlite", "not a database");
    let (found, gaps) = made.ask(&["/bin/a"]);
    assert_eq!((&found[0], gaps[0].reason), (&Seen::Hidden(Reason::Damaged), Reason::Damaged));
}

#[test]
fn a_database_that_rpm_itself_made() {
    if Command::new("rpmbuild").arg("--version").output().is_err() {
        return skip("no rpmbuild");
    }
    let made = Made::new("rpm");
    let spec = made.file(
        "tool.spec",
        "Name: tool\nVersion: 1.2\nRelease: 3\nEpoch: 4\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n%install\n\
         mkdir -p %{buildroot}/usr/sbin %{buildroot}/opt/a\necho one > %{buildroot}/usr/sbin/toold\n\
         echo two > %{buildroot}/opt/a/toold\n%files\n/usr/sbin/toold\n/opt/a/toold\n",
    );
    let top = format!("_topdir {}", made.0.join("top").display());
    let run = |command: &mut Command| {
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    run(Command::new("rpmbuild").args(["-bb", "--quiet", "--define", &top]).arg(&spec));
    let root = made.0.join("root");
    std::fs::create_dir_all(&root).unwrap();
    let package = made.0.join("top/RPMS/noarch/tool-1.2-3.noarch.rpm");
    if !rustix::process::geteuid().is_root() {
        return skip("rpm --root needs root");
    }
    run(Command::new("rpm")
        .arg("--root")
        .arg(&root)
        .args(["--dbpath", "/var/lib/rpm", "-i", "--nodeps", "--noscripts"])
        .arg(&package));
    if !root.join("var/lib/rpm/rpmdb.sqlite").exists() {
        return skip("this rpm does not use SQLite");
    }
    let tree = Tree::open(&root).unwrap();
    let mut gaps = Vec::new();
    let paths = ["/usr/sbin/toold", "/opt/a/toold", "/sbin/toold", "/opt/toold", "/usr/sbin/tool"];
    let found = owners(&tree, &paths, &mut gaps);
    let it = Some(("tool", "4:1.2-3"));
    assert_eq!(names(&found), [it, it, it, None, None], "{gaps:?}");
    for (path, owned) in [("usr/sbin/toold", &found[0]), ("opt/a/toold", &found[1])] {
        let recorded = &owned.value().unwrap().recorded;
        let size = std::fs::metadata(root.join(path)).unwrap().len();
        let file = tree.open_file(path).unwrap();
        assert_eq!(digest::compare(&file, size, recorded), model::Integrity::Intact, "{recorded:?}");
        std::fs::write(root.join(path), "other\n").unwrap();
        assert_eq!(digest::compare(&file, size, recorded), model::Integrity::Modified);
    }
}

#[test]
fn this_machines_dpkg_agrees() {
    let paths = ["/usr/bin/perl", "/bin/cat", "/usr/bin/dpkg", "/bin/sh", "/usr/bin/env", "/nonexistent"];
    let Ok(run) = Command::new("dpkg").arg("-S").args(paths).output() else { return skip("no dpkg") };
    let theirs = String::from_utf8_lossy(&run.stdout).into_owned();
    let mut gaps = Vec::new();
    let found = owners(&Tree::open(Path::new("/")).unwrap(), &paths, &mut gaps);
    for line in theirs.lines().filter(|line| !line.starts_with("diversion")) {
        let Some((package, path)) = line.split_once(": ") else { continue };
        let package = package.split(':').next().unwrap();
        let at = paths.iter().position(|known| *known == path).unwrap();
        assert_eq!(found[at].value().map(|owned| owned.name.as_str()), Some(package), "{path}");
    }
    assert_eq!(found[5], Seen::Absent);
}

/// Figures for people: `cargo test --profile bench-dev -p portreeve-host -- --ignored --nocapture cost`.
#[test]
#[ignore = "prints figures; run it alone"]
fn cost_of_one_pass_over_dpkg() {
    let tree = Tree::open(Path::new("/")).unwrap();
    let sets: [&[&str]; 4] = [
        &["/usr/bin/perl"],
        &["/usr/local/bin/none"],
        &["/usr/sbin/none", "/opt/none", "/usr/bin/python3.11", "/usr/lib/none", "/a/b/c"],
        &["/usr/bin/python3.11"],
    ];
    for paths in sets {
        let start = std::time::Instant::now();
        for _ in 0..20 {
            owners(&tree, paths, &mut Vec::new());
        }
        eprintln!("{paths:?}: {:.2} ms", start.elapsed().as_secs_f64() * 1e3 / 20.0);
    }
}
