//! How many memories can be open: in a process of its own, where no other test has any.

mod support;

use clawft_ffi_store::kernel::ClawftStatus as S;
use clawft_ffi_store::*;
use support::*;

#[test]
fn no_more_than_sixteen() {
    let disks: Vec<Disk> = (0..17).map(|_| Disk::default()).collect();
    let mut handles = Vec::new();
    let refusal = disks.iter().find_map(|disk| match try_open(disk, &options(CLAWFT_CREATE)) {
        Ok(handle) => {
            handles.push(handle);
            None
        }
        Err(code) => Some(code),
    });
    refused(refusal.expect("the seventeenth"), S::TooManyStores as i32, &["16"]);
    assert_eq!(handles.len(), 16);
    // A place that was given back is taken again, by another number.
    let first = handles[0];
    ok(clawft_memory_close(first, 0));
    handles[0] = open_memory(&disks[0]);
    assert_ne!(handles[0], first);
    refused(clawft_commit(first, 0), S::BadHandle as i32, &["handle"]);
    for handle in handles {
        ok(clawft_memory_close(handle, 0));
    }
}
