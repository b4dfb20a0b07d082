//! What a power cut needs: root, a few programs, and a kernel that lets us. Where one is missing the tests say which and do nothing.

use std::{
    env,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::OnceLock,
};

use crate::disk::Disk;

const PROGRAMS: [&str; 6] = ["losetup", "mount", "umount", "mkfs.ext4", "tar", "python3"];
/// Set where something missing must fail the tests, as in CI as root.
const REQUIRED: &str = "AISLED_POWERCUTS_REQUIRED";

/// Whether power can be cut here; tried out once.
pub fn are_met() -> bool {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    let missing = MISSING.get_or_init(|| missing().inspect_err(|missing| say(missing)).err());
    let is_required = env::var_os(REQUIRED).is_some_and(|set| set == "1");
    assert!(missing.is_none() || !is_required, "power cuts must be run here ({REQUIRED}), but cannot: see above");
    missing.is_none()
}

/// Past the capture of the test harness: a reader of "ok" must know what it means.
fn say(missing: &str) {
    let _ = writeln!(io::stderr(), "power cuts: not run: needs {missing}");
}

fn missing() -> Result<(), String> {
    if Path::new("/proc/self").metadata().map_or(u32::MAX, |own| own.uid()) != 0 {
        return Err("root".into());
    }
    let folders: Vec<_> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    if let Some(program) = PROGRAMS.iter().find(|program| !folders.iter().any(|folder| folder.join(program).exists())) {
        return Err((*program).into());
    }
    let disk = Disk::new().map_err(|error| format!("a loop device with ext4 ({error})"))?;
    let cutter = crate::cutter::Cutter::arm(&disk.root());
    cutter.and_then(crate::cutter::Cutter::cut).map_err(|error| format!("EXT4_IOC_SHUTDOWN ({error})"))
}
