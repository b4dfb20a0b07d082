//! What tests see of disk steps, and how they make one fail. A step is reported before it is done, in order.
//!
//! `AISLED_TEST_FAULT=sync:3:EIO` makes the third step of that kind fail in the whole process, `sync:3+:ENOSPC` also all later ones,
//! `sync:3:HANG` never returns, and `sync@heads:1:EIO` counts only steps at paths that contain that text.
//! `sync:3:WHILE=/tmp/held` waits as long as that file exists. Both are compiled in with debug assertions only.

use std::{io, path::Path};

/// The environment variable that names the step that fails.
pub const VARIABLE: &str = "AISLED_TEST_FAULT";

/// One change of the disk.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// An empty file is created.
    Create(&'a Path),
    /// An existing file is opened.
    Open(&'a Path),
    /// Room is reserved: the file reads as zeros up to there.
    Allocate {
        file: &'a Path,
        bytes: u64,
    },
    Write {
        file: &'a Path,
        at: u64,
        bytes: &'a [u8],
    },
    /// What was written to the file becomes durable.
    Sync(&'a Path),
    /// The names in the folder are durable.
    SyncFolder(&'a Path),
    Rename {
        from: &'a Path,
        to: &'a Path,
    },
    Link {
        from: &'a Path,
        to: &'a Path,
    },
    Remove(&'a Path),
    CreateFolder(&'a Path),
    /// A folder is removed with its content.
    RemoveFolder(&'a Path),
}

impl<'a> Step<'a> {
    /// The kind, as [`VARIABLE`] names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Open(_) => "open",
            Self::Allocate { .. } => "allocate",
            Self::Write { .. } => "write",
            Self::Sync(_) => "sync",
            Self::SyncFolder(_) => "sync_folder",
            Self::Rename { .. } => "rename",
            Self::Link { .. } => "link",
            Self::Remove(_) => "remove",
            Self::CreateFolder(_) => "create_folder",
            Self::RemoveFolder(_) => "remove_folder",
        }
    }

    /// The file or folder that the step is about.
    #[must_use]
    pub fn path(&self) -> &'a Path {
        match self {
            Self::Create(path)
            | Self::Open(path)
            | Self::Sync(path)
            | Self::SyncFolder(path)
            | Self::Remove(path)
            | Self::CreateFolder(path)
            | Self::RemoveFolder(path)
            | Self::Allocate { file: path, .. }
            | Self::Write { file: path, .. }
            | Self::Rename { to: path, .. }
            | Self::Link { to: path, .. } => path,
        }
    }
}

/// Does a step, unless a test makes it fail. An error names its file.
#[inline]
pub(super) fn perform<T>(step: Step<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let path = step.path();
    observed(step, act).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(not(debug_assertions))]
#[inline]
fn observed<T>(_step: Step<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    act()
}

#[cfg(debug_assertions)]
use observed::observed;
#[cfg(debug_assertions)]
pub use observed::{Observer, observe};

#[cfg(debug_assertions)]
mod observed {
    use std::{
        io,
        path::{Path, PathBuf},
        sync::{
            Arc, OnceLock,
            atomic::{AtomicU64, AtomicUsize, Ordering},
        },
        thread,
        time::Duration,
    };

    use parking_lot::RwLock;

    use super::{Step, VARIABLE};

    /// Sees the steps below a folder. While it handles one, no other step below that folder is done.
    pub trait Observer: Send + Sync {
        /// Called before a step; an error is the step's answer, and it is not done.
        ///
        /// # Errors
        /// The error the step is to fail with.
        fn before(&self, step: &Step<'_>) -> io::Result<()>;
    }

    struct Observed {
        id: usize,
        root: PathBuf,
        observer: parking_lot::Mutex<Arc<dyn Observer>>,
    }

    static OBSERVED: RwLock<Vec<Arc<Observed>>> = RwLock::new(Vec::new());
    static NEXT_ID: AtomicUsize = AtomicUsize::new(0);

    /// Ends the observation when dropped.
    pub struct Observation(usize);

    impl Drop for Observation {
        fn drop(&mut self) {
            OBSERVED.write().retain(|observed| observed.id != self.0);
        }
    }

    /// Shows an observer every step below a folder, until the returned guard is dropped.
    #[must_use]
    pub fn observe(root: &Path, observer: Arc<dyn Observer>) -> Observation {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        OBSERVED.write().push(Arc::new(Observed { id, root: root.to_owned(), observer: parking_lot::Mutex::new(observer) }));
        Observation(id)
    }

    pub(super) fn observed<T>(step: Step<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        fail_if_named(&step)?;
        let observed = OBSERVED.read().iter().find(|observed| step.path().starts_with(&observed.root)).cloned();
        let Some(observed) = observed else { return act() };
        let observer = observed.observer.lock();
        observer.before(&step)?;
        act()
    }

    /// The fault that the environment names.
    struct Fault {
        kind: String,
        /// A part of the path; empty for any.
        word: String,
        number: u64,
        and_later: bool,
        effect: String,
        seen: AtomicU64,
    }

    static FAULT: OnceLock<Option<Fault>> = OnceLock::new();

    fn fail_if_named(step: &Step<'_>) -> io::Result<()> {
        let Some(fault) = FAULT.get_or_init(|| std::env::var(VARIABLE).ok().and_then(|text| Fault::parse(&text))) else { return Ok(()) };
        if fault.kind != step.kind() || !step.path().to_string_lossy().contains(&fault.word) {
            return Ok(());
        }
        let number = fault.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if number == fault.number || (fault.and_later && number > fault.number) {
            tracing::warn!(step = step.kind(), path = %step.path().display(), effect = fault.effect, "a test makes this step fail");
            fault.happen()
        } else {
            Ok(())
        }
    }

    impl Fault {
        fn parse(text: &str) -> Option<Self> {
            let mut parts = text.split(':');
            let (kind, number, effect) = (parts.next()?, parts.next()?, parts.next()?);
            let (kind, word) = kind.split_once('@').unwrap_or((kind, ""));
            let and_later = number.ends_with('+');
            let number = number.trim_end_matches('+').parse().ok()?;
            Some(Self { kind: kind.into(), word: word.into(), number, and_later, effect: effect.into(), seen: AtomicU64::new(0) })
        }

        fn happen(&self) -> io::Result<()> {
            match self.effect.as_str() {
                "HANG" => loop {
                    thread::park_timeout(Duration::from_hours(1));
                },
                "ENOSPC" => Err(rustix::io::Errno::NOSPC.into()),
                "EIO" => Err(rustix::io::Errno::IO.into()),
                other => {
                    let file = other.strip_prefix("WHILE=").map(Path::new);
                    while file.is_some_and(Path::exists) {
                        thread::park_timeout(Duration::from_millis(1));
                    }
                    Ok(())
                }
            }
        }
    }
}
