use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::testing::{fresh_folder, now};
use super::*;

fn read_one(folder: &Folder, path: &str) -> Result<FileContent, String> {
    match now(folder.for_call().read(vec![path.to_owned()])) {
        Ok(mut files) => Ok(files.pop().unwrap()),
        Err(ReadError::File(0, reason)) => Err(reason),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_file_is_found_by_paths_that_stay_in_the_folder() {
    let root = fresh_folder("paths");
    let inside = root.join("open");
    std::fs::create_dir_all(inside.join("sub")).unwrap();
    std::fs::write(inside.join("sub/report.pdf"), b"%PDF").unwrap();
    std::fs::write(root.join("secret.txt"), b"secret").unwrap();
    std::fs::File::create(inside.join("exact.bin")).unwrap().set_len(LARGEST_FILE).unwrap();
    std::fs::File::create(inside.join("large.bin")).unwrap().set_len(LARGEST_FILE + 1).unwrap();
    let folder = Folder::open(&inside).unwrap();
    let absolute = inside.join("sub/report.pdf");
    for path in ["sub/report.pdf", "./sub/../sub//report.pdf", absolute.to_str().unwrap()] {
        let file = read_one(&folder, path).unwrap();
        assert_eq!((file.name.as_str(), file.bytes.as_slice()), ("report.pdf", &b"%PDF"[..]), "{path}");
    }
    assert_eq!(read_one(&folder, "exact.bin").unwrap().bytes.len() as u64, LARGEST_FILE);
    let outside = root.join("secret.txt");
    for (path, reason) in [
        ("../secret.txt", "no such file in the folder"),
        ("sub/../../secret.txt", "no such file in the folder"),
        (outside.to_str().unwrap(), "no such file in the folder"),
        ("/etc/passwd", "no such file in the folder"),
        ("missing", "no such file in the folder"),
        ("sub/report.pdf/more", "no such file in the folder"),
        ("sub", "no file"),
        (".", "no file"),
        ("", "no file"),
        ("large.bin", "larger than 10 MB"),
    ] {
        assert_eq!(read_one(&folder, path).unwrap_err(), reason, "{path}");
    }
    assert!(Folder::open(&outside).is_err() && Folder::open(&root.join("nowhere")).is_err());
    std::fs::remove_dir_all(&root).unwrap();
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_by_either_way() {
    use std::os::unix::fs::symlink;
    let root = fresh_folder("links");
    let inside = root.join("open");
    std::fs::create_dir_all(inside.join("sub")).unwrap();
    std::fs::write(inside.join("sub/a.txt"), b"a").unwrap();
    std::fs::write(root.join("secret.txt"), b"secret").unwrap();
    symlink(root.join("secret.txt"), inside.join("out.txt")).unwrap();
    symlink("sub/a.txt", inside.join("in.txt")).unwrap();
    symlink(&root, inside.join("up")).unwrap();
    symlink("/proc/self/cwd", inside.join("magic")).unwrap();
    // The folder itself may be named by a link.
    symlink(&inside, root.join("by-link")).unwrap();
    let folder = Folder::open(&root.join("by-link")).unwrap();
    assert!(read_one(&folder, root.join("by-link/sub/a.txt").to_str().unwrap()).is_ok());
    for path in ["out.txt", "in.txt", "up/secret.txt", "magic/secret.txt"] {
        let reason = read_one(&folder, path).unwrap_err();
        assert!(reason.contains("links are not followed") || reason.contains("no such file"), "{path}: {reason}");
        assert!(folder.0.directory.open_by_steps(Path::new(path)).is_err(), "{path}");
    }
    let by_steps = folder.0.directory.open_by_steps(Path::new("sub/a.txt")).and_then(io::read_to_string);
    assert_eq!(by_steps.unwrap(), "a");
    std::fs::remove_dir_all(&root).unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_never_waited_for() {
    let inside = fresh_folder("pipes");
    let pipe = inside.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).unwrap();
    let folder = Folder::open(&inside).unwrap();
    let started = Instant::now();
    assert_eq!(read_one(&folder, "pipe").unwrap_err(), "no file");
    assert!(read_one(&folder, "socket").is_err());
    let by_steps = folder.0.directory.open_by_steps(Path::new("pipe")).unwrap();
    assert!(!by_steps.metadata().unwrap().is_file());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    std::fs::remove_dir_all(&inside).unwrap();
}

/// Someone who may write in the folder swaps a file with a link and with a pipe, over and over.
#[cfg(unix)]
#[test]
fn a_file_that_is_swapped_meanwhile_is_itself_or_none() {
    let root = fresh_folder("swaps");
    let inside = root.join("open");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(root.join("secret.txt"), b"secret").unwrap();
    let folder = Folder::open(&inside).unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let swapping = std::thread::spawn({
        let (ended, inside, secret) = (Arc::clone(&ended), inside.clone(), root.join("secret.txt"));
        move || {
            let (file, next) = (inside.join("a.txt"), inside.join("next"));
            std::process::Command::new("mkfifo").arg(inside.join("pipe")).status().unwrap();
            while !ended.load(Ordering::Relaxed) {
                std::fs::write(&next, b"mine").unwrap();
                std::fs::rename(&next, &file).unwrap();
                std::os::unix::fs::symlink(&secret, &next).unwrap();
                std::fs::rename(&next, &file).unwrap();
                std::fs::hard_link(inside.join("pipe"), &next).unwrap();
                std::fs::rename(&next, &file).unwrap();
            }
        }
    });
    let (mut read, mut refused) = (0, 0);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) && (read < 50 || refused < 50) {
        match read_one(&folder, "a.txt") {
            Ok(file) => {
                assert!(file.bytes.is_empty() || file.bytes == b"mine", "{:?}", file.bytes);
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
    ended.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
    std::fs::remove_dir_all(&root).unwrap();
}
