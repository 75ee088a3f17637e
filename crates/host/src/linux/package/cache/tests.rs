//! The cache on disk: what it gives back, and everything it must not take.

use super::*;
use crate::linux::package::witness;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

/// A made root with a package database, and a folder for the cache beside it.
struct Made {
    path: PathBuf,
    tree: Tree,
}

impl Made {
    fn new(name: &str) -> Made {
        let path = std::env::temp_dir().join(format!("portreeve-cache-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("root/var/lib/dpkg/info")).unwrap();
        std::fs::create_dir_all(path.join("cache")).unwrap();
        std::fs::write(path.join("root/var/lib/dpkg/status"), "x").unwrap();
        let tree = Tree::open(&path.join("root")).unwrap();
        Made { path, tree }
    }

    fn cache(&self) -> Cache {
        let mut cache = Cache::hasty(&self.base());
        cache.begin(&self.tree, &witness(&self.tree));
        cache
    }

    fn base(&self) -> PathBuf {
        self.path.join("cache")
    }

    fn folder(&self) -> PathBuf {
        self.base().join(FOLDER)
    }

    fn file(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    /// The stamp of a file that did not change lately.
    fn stamp(&self) -> Stamp {
        Stamp { dev: self.tree.id.dev, ino: 12, size: 34, mtime: (5, 6), ctime: (7, 8) }
    }

    /// Keeps one owned and one other file.
    fn learned(name: &str) -> Made {
        let made = Made::new(name);
        let mut cache = made.cache();
        cache.learn("/usr/bin/a", &made.stamp(), &owned("a", Integrity::Intact));
        cache.learn("/opt/b", &made.stamp(), &Seen::Absent);
        cache.save();
        assert_eq!(made.found(), [true, true], "what was learned is there");
        made
    }

    /// Whether another run finds the two.
    fn found(&self) -> [bool; 2] {
        let mut cache = self.cache();
        ["/usr/bin/a", "/opt/b"].map(|path| cache.find(path, &self.stamp()).is_some())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn owned(name: &str, integrity: Integrity) -> Seen<Package> {
    let package = Package { manager: Manager::Dpkg, name: name.into(), version: "1:2 %~3".into(), integrity };
    Seen::Value(package)
}

#[test]
fn another_run_finds_what_was_learned_and_nobody_else_reads_it() {
    let made = Made::learned("hit");
    let mut cache = made.cache();
    assert_eq!(cache.find("/usr/bin/a", &made.stamp()), Some(owned("a", Integrity::Intact)));
    assert_eq!(cache.find("/opt/b", &made.stamp()), Some(Seen::Absent));
    assert_eq!(cache.find("/opt", &made.stamp()), None);
    assert_eq!(std::fs::metadata(made.file()).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(made.folder()).unwrap().mode() & 0o777, 0o700);
    let before = std::fs::metadata(made.file()).unwrap().ino();
    cache.save();
    assert_eq!(std::fs::metadata(made.file()).unwrap().ino(), before, "nothing new, nothing written");
    // A name that begins with another's is its own.
    for path in ["/opt/b2", "/opt/b", "/opt", "/opt/b2"] {
        cache.learn(path, &made.stamp(), &Seen::Absent);
    }
    cache.save();
    let mut again = made.cache();
    assert!(["/opt/b2", "/opt/b", "/opt"].iter().all(|path| again.find(path, &made.stamp()).is_some()));
    // Odd names come back as they are.
    let odd = "/opt/ a\n%41\u{7f}é/b";
    cache.learn(odd, &made.stamp(), &owned("n m\n", Integrity::NotRecorded));
    cache.save();
    assert_eq!(made.cache().find(odd, &made.stamp()), Some(owned("n m\n", Integrity::NotRecorded)));
    assert_eq!(made.found(), [true, true]);
}

#[test]
fn every_part_of_the_key_counts() {
    let made = Made::learned("key");
    let at = made.stamp();
    let others = [
        Stamp { dev: at.dev + 1, ..at },
        Stamp { ino: 13, ..at },
        Stamp { size: 35, ..at },
        Stamp { mtime: (4, 6), ..at },
        Stamp { mtime: (5, 7), ..at },
        Stamp { ctime: (8, 8), ..at },
        Stamp { ctime: (7, 80), ..at },
    ];
    let mut cache = made.cache();
    for other in others {
        assert_eq!(cache.find("/usr/bin/a", &other), None, "{other:?}");
        assert_eq!(cache.find("/opt/b", &other), None, "{other:?}");
    }
    // A new file at the path takes the place of the old one.
    cache.learn("/opt/b", &others[1], &Seen::Absent);
    cache.save();
    assert_eq!(made.found(), [true, false]);
}

#[test]
fn other_databases_or_another_root_void_it() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("status", |root| std::fs::write(root.join("var/lib/dpkg/status"), "xy").unwrap()),
        ("list", |root| std::fs::write(root.join("var/lib/dpkg/info/new.list"), "").unwrap()),
        ("rpm", |root| {
            std::fs::create_dir_all(root.join("var/lib/rpm")).unwrap();
            std::fs::write(root.join("var/lib/rpm/rpmdb.sqlite"), "").unwrap();
        }),
        ("apk", |root| {
            std::fs::create_dir_all(root.join("lib/apk/db")).unwrap();
            std::fs::write(root.join("lib/apk/db/installed"), "").unwrap();
        }),
    ];
    for (name, change) in changes {
        let made = Made::learned(&format!("void-{name}"));
        // The same run notices as well.
        let mut running = made.cache();
        assert!(running.find("/opt/b", &made.stamp()).is_some());
        change(&made.path.join("root"));
        assert_eq!(made.found(), [false, false], "{name}");
        running.begin(&made.tree, &witness(&made.tree));
        assert_eq!(running.find("/opt/b", &made.stamp()), None, "{name}");
    }
    let made = Made::learned("void-root");
    let other = Tree::open(&made.path).unwrap();
    let mut cache = Cache::hasty(&made.base());
    cache.begin(&other, &witness(&made.tree));
    assert_eq!(cache.find("/opt/b", &made.stamp()), None);
}

#[test]
fn any_damage_is_no_cache_and_is_mended() {
    let made = Made::learned("damage");
    let whole = std::fs::read(made.file()).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(made.file(), &whole[..cut]).unwrap();
        assert_eq!(made.found(), [false, false], "cut at {cut}");
        let mut flipped = whole.clone();
        flipped[cut] ^= 1;
        std::fs::write(made.file(), &flipped).unwrap();
        assert_eq!(made.found(), [false, false], "flipped at {cut}");
    }
    std::fs::write(made.file(), vec![b'x'; BYTES_MAX + 1]).unwrap();
    assert_eq!(made.found(), [false, false]);
    let mut cache = made.cache();
    cache.learn("/opt/b", &made.stamp(), &Seen::Absent);
    cache.save();
    assert_eq!(made.found(), [false, true]);
}

#[test]
fn lines_that_we_would_not_write_are_not_read() {
    let made = Made::learned("lines");
    for value in [
        "",
        " ",
        " none x",
        " dpkg modified a 1",
        " dpkg intact a",
        " dpkg intact a 1 2",
        " rpm3 intact a 1",
        " dpkg intact %4 1",
        " dpkg intact %é 1",
    ] {
        let mut cache = made.cache();
        let mut line = "/usr/bin/a ".to_owned();
        push_stamp(&mut line, &made.stamp());
        cache.lines = Some(format!("{line}{value}\n").into_bytes());
        assert_eq!(cache.find("/usr/bin/a", &made.stamp()), None, "{value:?}");
        cache.lines = Some(line.into_bytes());
        assert_eq!(cache.find("/usr/bin/a", &made.stamp()), None);
    }
}

#[test]
fn what_others_can_write_is_not_trusted() {
    let made = Made::learned("mode");
    let mode = |path: PathBuf, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, usual) in [(made.file(), 0o600), (made.folder(), 0o700)] {
        for open in [0o020, 0o002] {
            mode(path.clone(), usual | open);
            assert_eq!(made.found(), [false, false], "{}", path.display());
        }
        mode(path, usual);
        assert_eq!(made.found(), [true, true]);
    }
    // Nor what a link leads to, of the file or of its folder, for reading or for writing.
    let aside = made.path.join("aside");
    std::fs::rename(made.file(), &aside).unwrap();
    symlink(&aside, made.file()).unwrap();
    assert_eq!(made.found(), [false, false]);
    std::fs::remove_file(made.file()).unwrap();
    std::fs::rename(&aside, made.file()).unwrap();
    let folder = made.path.join("folder");
    std::fs::rename(made.folder(), &folder).unwrap();
    symlink(&folder, made.folder()).unwrap();
    assert_eq!(made.found(), [false, false]);
    let before = std::fs::read(folder.join(FILE)).unwrap();
    let mut cache = made.cache();
    cache.learn("/opt/c", &made.stamp(), &Seen::Absent);
    cache.save();
    assert_eq!(std::fs::read(folder.join(FILE)).unwrap(), before);
    // A FIFO must not stop us.
    std::fs::remove_file(made.folder()).unwrap();
    std::fs::create_dir(made.folder()).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, made.file(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_eq!(made.found(), [false, false]);
}

#[test]
fn what_another_user_owns_is_not_trusted() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("SKIPPED: only root gives files away");
    }
    let made = Made::learned("owner");
    for path in [made.file(), made.folder()] {
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        assert_eq!(made.found(), [false, false], "{}", path.display());
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
        assert_eq!(made.found(), [true, true]);
    }
}

#[test]
fn what_may_not_last_is_not_learned() {
    let made = Made::new("lasting");
    let mut cache = made.cache();
    let at = made.stamp();
    cache.learn("/a", &at, &owned("a", Integrity::Modified));
    cache.learn("/b", &at, &owned("b", Integrity::NotCompared(model::Reason::NoPermission)));
    cache.learn("/c", &at, &Seen::Hidden(model::Reason::Damaged));
    cache.learn("/d\u{fffd}", &at, &Seen::Absent);
    cache.learn(&"x".repeat(LINE_MAX), &at, &Seen::Absent);
    // A file system that a user may have made.
    cache.learn("/e", &Stamp { dev: at.dev + 1, ..at }, &owned("e", Integrity::Intact));
    cache.learn("/f", &Stamp { ctime: (i64::MAX, 0), ..at }, &Seen::Absent);
    cache.save();
    assert!(!made.folder().exists(), "nothing to keep, nothing made");
    // What changed a moment ago, the databases first.
    let mut cache = Cache::at(made.base());
    cache.begin(&made.tree, &witness(&made.tree));
    cache.learn("/g", &at, &Seen::Absent);
    cache.begin(&made.tree, &Witness::default());
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    cache.learn("/h", &Stamp { ctime: (now.tv_sec, 0), ..at }, &Seen::Absent);
    cache.save();
    assert!(!made.folder().exists());
    cache.learn("/i", &at, &Seen::Absent);
    cache.save();
    assert!(made.file().exists());
    // A cache of nobody learns nothing and does not look at any tree.
    let mut none = Cache::none();
    none.begin(&made.tree, &Witness::default());
    none.learn("/i", &at, &Seen::Absent);
    assert_eq!(none.find("/i", &at), None);
}

#[test]
fn it_is_bounded_and_forgets_the_oldest() {
    let made = Made::new("bounded");
    let mut cache = made.cache();
    for number in 0..ENTRIES_MAX + 3 {
        cache.learn(&format!("/{number}"), &made.stamp(), &Seen::Absent);
    }
    cache.save();
    let mut again = made.cache();
    for (number, kept) in [(0, false), (2, false), (3, true), (ENTRIES_MAX + 2, true)] {
        assert_eq!(again.find(&format!("/{number}"), &made.stamp()).is_some(), kept, "{number}");
    }
    // Long names: the limit in bytes comes first.
    let long = |number: usize| format!("/{number:04}{}", "x".repeat(4000));
    for number in 0..400 {
        again.learn(&long(number), &made.stamp(), &Seen::Absent);
    }
    again.save();
    assert!(std::fs::metadata(made.file()).unwrap().len() <= BYTES_MAX as u64);
    let mut last = made.cache();
    assert!(last.find(&long(399), &made.stamp()).is_some());
    assert!(last.find(&long(0), &made.stamp()).is_none());
    for (lines, bytes_max, left) in
        [("", 0, ""), ("a\nb\n", 4, "a\nb\n"), ("a\nb\n", 3, "b\n"), ("a\nb\n", 2, "b\n"), ("a\nb\n", 1, "")]
    {
        let mut text = lines.as_bytes().to_vec();
        bound(&mut text, bytes_max);
        assert_eq!(text, left.as_bytes(), "{bytes_max}");
    }
}

#[test]
fn several_writers_leave_one_whole_file() {
    let made = Made::learned("writers");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let made = &made;
            scope.spawn(move || {
                for round in 0..20 {
                    let mut cache = made.cache();
                    cache.learn(&format!("/{writer}/{round}"), &made.stamp(), &Seen::Absent);
                    cache.save();
                    // Whoever wrote last: what all of them had read is there at every moment.
                    assert_eq!(made.found(), [true, true]);
                }
            });
        }
    });
    let left: Vec<_> =
        std::fs::read_dir(made.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [FILE], "no temporary file stays");
}

#[test]
fn where_nothing_can_be_written_nothing_fails() {
    let made = Made::new("nowhere");
    for base in ["cache/file/below", "missing/deep/below"] {
        std::fs::write(made.path.join("cache/file"), "").unwrap();
        let mut cache = Cache::hasty(&made.path.join(base));
        cache.begin(&made.tree, &witness(&made.tree));
        cache.learn("/a", &made.stamp(), &Seen::Absent);
        cache.save();
        assert_eq!(cache.find("/a", &made.stamp()), Some(Seen::Absent), "this run still knows");
    }
    assert!(!made.path.join("missing").exists());
}

#[test]
fn root_has_one_place_and_others_their_own() {
    let env = |known: &'static [(&'static str, &'static str)]| {
        move |name: &str| known.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
    };
    let both: &[_] = &[("HOME", "/home/a"), ("XDG_CACHE_HOME", "/x")];
    let at = |path: &str| Some(PathBuf::from(path));
    assert_eq!(place(true, env(both)), at("/var/cache"));
    assert_eq!(place(false, env(both)), at("/x"));
    assert_eq!(place(false, env(&[("HOME", "/home/a"), ("XDG_CACHE_HOME", "x")])), at("/home/a/.cache"));
    assert_eq!(place(false, env(&[("HOME", "")])), None);
    assert_eq!(place(false, env(&[])), None);
    assert!(Cache::of_this_user().base.is_none(), "no test uses the machine's own");
}

#[test]
fn odd_bytes_come_back_and_odd_escapes_do_not() {
    for text in ["", "a b", "%", "\u{7f}\0\n\té%20", "日本 語"] {
        assert_eq!(plain(&escaped(text)).as_deref(), Some(text));
        assert!(!escaped(text).contains([' ', '\n', '\0']));
    }
    for text in ["%", "%1", "%zz", "a%é"] {
        assert_eq!(plain(text), None, "{text}");
    }
}
