//! Files: `/data` may be written.

use clawft_agent::platform::{FileError, FileSystem};

pub(crate) fn whole(files: &dyn FileSystem) {
    folders(files);
    replacing(files);
    reading(files);
    moving(files);
    outside(files);
}

fn folders(files: &dyn FileSystem) {
    files.create_folder("/data/a/b/c").unwrap();
    files.create_folder("/data/a/b/c").unwrap();
    files.create_folder("/data").unwrap();
    assert!(files.entry("/data/a/b").unwrap().is_folder);
    assert_eq!(files.entry("/data/a/b").unwrap().name, "b");
    assert!(files.entry("/data").unwrap().is_folder);
    assert_eq!(files.entry("/data/none"), Err(FileError::NotFound));
    files.replace("/data/a/file", b"1").unwrap();
    assert_eq!(files.create_folder("/data/a/file"), Err(FileError::Exists));
    assert_eq!(files.create_folder("/data/a/file/below"), Err(FileError::Exists));
    assert_eq!(files.list("/data/none"), Err(FileError::NotFound));
    assert_eq!(files.list("/data/a/file"), Err(FileError::NotFound));
}

fn replacing(files: &dyn FileSystem) {
    files.replace("/data/a/whole", b"first").unwrap();
    let long: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    files.replace("/data/a/whole", &long).unwrap();
    assert_eq!(files.read("/data/a/whole", 300_000).unwrap(), long);
    files.replace("/data/a/whole", b"").unwrap();
    assert_eq!(files.read("/data/a/whole", 10).unwrap(), b"");
    files.replace("/data/a/whole", &long).unwrap();
    assert_eq!(files.replace("/data/none/file", b"x"), Err(FileError::NotFound));
    assert_eq!(files.replace("/data/a/b", b"x"), Err(FileError::Exists));
    assert_eq!(files.replace("/data", b"x"), Err(FileError::Exists));
    // Nothing stays beside.
    let names: Vec<_> = files.list("/data/a").unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["b", "file", "whole"]);
}

fn reading(files: &dyn FileSystem) {
    let too_large = FileError::TooLarge { expected: 299_999, found: 300_000 };
    assert_eq!(files.read("/data/a/whole", 299_999), Err(too_large));
    assert_eq!(files.read("/data/none", 9), Err(FileError::NotFound));
    assert_eq!(files.read("/data/a", 9), Err(FileError::Failed));
    let mut into = vec![0; 200_000];
    assert_eq!(files.read_at("/data/a/whole", 5, &mut into), Ok(200_000));
    assert_eq!(into[..3], [5, 6, 7]);
    assert_eq!(files.read_at("/data/a/whole", 299_990, &mut into), Ok(10));
    assert_eq!(files.read_at("/data/a/whole", 300_001, &mut into), Ok(0));
    assert_eq!(files.read_at("/data/none", 0, &mut into), Err(FileError::NotFound));
    let entry = files.entry("/data/a/whole").unwrap();
    assert_eq!((entry.is_folder, entry.len), (false, 300_000));
    let listed = files.list("/data/a").unwrap();
    assert_eq!((listed[0].is_folder, listed[0].len), (true, 0));
    assert_eq!(listed[2], entry);
}

fn moving(files: &dyn FileSystem) {
    files.replace("/data/a/from", b"from").unwrap();
    files.rename("/data/a/from", "/data/a/b/to").unwrap();
    assert_eq!(files.read("/data/a/b/to", 9).unwrap(), b"from");
    assert_eq!(files.rename("/data/a/from", "/data/a/x"), Err(FileError::NotFound));
    files.replace("/data/a/from", b"again").unwrap();
    files.rename("/data/a/from", "/data/a/b/to").unwrap();
    assert_eq!(files.read("/data/a/b/to", 9).unwrap(), b"again");
    assert_eq!(files.rename("/data/a/b/to", "/data/a/b/c"), Err(FileError::Exists));
    files.remove("/data/a/b/to").unwrap();
    assert_eq!(files.remove("/data/a/b/to"), Err(FileError::NotFound));
    assert!(files.remove("/data/a/b").is_err(), "a folder is no file");
    assert!(files.entry("/data/a/b").unwrap().is_folder);
}

/// `/data/link` is a link to `/etc`, made from outside.
fn outside(files: &dyn FileSystem) {
    for path in ["/etc/passwd", "/data/../etc/passwd", "../etc/passwd", "/data/a/../../x", "x", ""]
    {
        assert_eq!(files.read(path, 9999), Err(FileError::Outside), "{path}");
        assert_eq!(files.replace(path, b"x"), Err(FileError::Outside), "{path}");
    }
    assert_eq!(files.read("/data/./a//b/../file", 9).unwrap(), b"1");
    assert_eq!(files.read("/data/link/passwd", 9999), Err(FileError::Outside));
    assert!(files.replace("/data/link/x", b"x").is_err());
    assert_eq!(files.rename("/data/a/file", "/other"), Err(FileError::Outside));
    assert_eq!(files.remove("/data/../data2"), Err(FileError::Outside));
    assert_eq!(files.create_folder("/data/../d"), Err(FileError::Outside));
    assert_eq!(files.list("/").unwrap_err(), FileError::Outside);
    assert_eq!(files.entry("/data/..").unwrap_err(), FileError::Outside);
    assert_eq!(files.storage("/data/..").err(), Some(FileError::Outside));
}

/// `/data` may only be read; `file` is in it.
pub(crate) fn read_only(files: &dyn FileSystem) {
    assert_eq!(files.read("/data/file", 99).unwrap(), b"kept");
    assert_eq!(files.replace("/data/file", b"new"), Err(FileError::ReadOnly));
    assert_eq!(files.replace("/data/new", b"new"), Err(FileError::ReadOnly));
    assert_eq!(files.remove("/data/file"), Err(FileError::ReadOnly));
    assert_eq!(files.rename("/data/file", "/data/x"), Err(FileError::ReadOnly));
    assert_eq!(files.create_folder("/data/folder"), Err(FileError::ReadOnly));
    files.create_folder("/data").unwrap();
    assert_eq!(files.list("/data").unwrap().len(), 1);
    let storage = files.storage("/data").unwrap();
    let file = storage.open("file").unwrap();
    let mut into = [0; 9];
    assert_eq!(storage.read_at(file, 1, &mut into), Ok(3));
    use clawft_store::storage::StorageError::ReadOnly;
    assert_eq!(storage.append(file, b"x"), Err(ReadOnly));
    assert_eq!(storage.truncate(file, 0), Err(ReadOnly));
    assert_eq!(storage.sync(file), Err(ReadOnly));
    assert_eq!(storage.create("new").err(), Some(ReadOnly));
    assert_eq!(storage.remove("file"), Err(ReadOnly));
    assert_eq!(storage.rename("file", "x"), Err(ReadOnly));
    storage.close(file);
}

/// The working folder is given, as `.`; a folder in it as `inner`.
pub(crate) fn relative(files: &dyn FileSystem) {
    files.replace("here", b"1").unwrap();
    files.replace("./inner/there", b"2").unwrap();
    assert_eq!(files.read("inner/../here", 9).unwrap(), b"1");
    assert_eq!(files.read("inner/there", 9).unwrap(), b"2");
    assert_eq!(files.read("../here", 9), Err(FileError::Outside));
    let names: Vec<_> = files.list(".").unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["here"]);
}
