//! What was synced stays, a flip is for good, and the power goes where a test says.

use super::*;

#[test]
fn synced_bytes_stay_and_others_may_not() {
    let (mut whole, mut cut, mut mixed) = (0, 0, 0);
    for seed in 0..200 {
        let disk = SimulatedDisk::new(0);
        let file = disk.create("a").unwrap();
        disk.append(file, &[1; 700]).unwrap();
        disk.sync(file).unwrap();
        disk.sync_folder().unwrap();
        disk.append(file, &[2; 2000]).unwrap();
        disk.crash(seed);
        let bytes = disk.bytes("a").unwrap();
        assert!(bytes.len() >= 700 && bytes[..700] == [1; 700]);
        match bytes.len() {
            2700 if bytes[700..] == [2; 2000] => whole += 1,
            2700 => mixed += 1,
            _ => cut += 1,
        }
    }
    assert!(whole > 0 && cut > 0 && mixed > 0, "{whole} {cut} {mixed}");
}

#[test]
fn names_last_from_the_folder_s_sync_on() {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    disk.sync(file).unwrap();
    let gone = disk.fork();
    gone.crash(1);
    let kept = (0..50).any(|seed| {
        let fork = disk.fork();
        fork.crash(seed);
        fork.names() == ["a"]
    });
    assert!(kept);
    disk.sync_folder().unwrap();
    disk.crash(1);
    assert_eq!(disk.names(), ["a"]);
}

#[test]
fn a_flip_changes_one_bit_for_good() {
    let disk = SimulatedDisk::new(0);
    assert_eq!(disk.flip(1), None);
    disk.put("a", vec![0; 30]);
    disk.put("b", vec![0; 70]);
    let mut seen = [false; 2];
    for seed in 0..20 {
        let fork = disk.fork();
        let (name, at) = fork.flip(seed).unwrap();
        fork.crash(seed);
        let bits = |name: &str| -> u32 {
            fork.bytes(name).unwrap().iter().map(|byte| byte.count_ones()).sum()
        };
        assert_eq!(bits("a") + bits("b"), 1);
        assert_ne!(fork.bytes(&name).unwrap()[at], 0);
        seen[usize::from(name == "b")] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn the_power_goes_in_the_call_that_was_named() {
    let disk = SimulatedDisk::new(0);
    disk.cut_after(Some(1));
    let file = disk.create("a").unwrap();
    assert_eq!(disk.append(file, b"x"), Err(StorageError::Failed));
    assert_eq!(disk.sync(file), Err(StorageError::Failed));
    assert!(disk.is_off());
    disk.crash(3);
    assert!(!disk.is_off());
}
