//! One throw-away service: everything in one process, with a queue and a store of its own.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rollbook_store::Database;
use tempfile::TempDir;

use crate::backends::Backends;
use crate::process::Process;
use crate::settings::Options;

/// `rollbook up` in a folder of its own. Dropping it kills the service and removes the folder.
pub struct World {
    process: Process,
    backends: Backends,
    _folder: TempDir,
}

impl World {
    pub fn new(options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("rollbook-test-").tempdir().expect("a temporary folder");
        let backends = if options.embedded { Backends::embedded() } else { Backends::of_environment() };
        let process = Process::new("up", folder.path(), &backends, options);
        Self { process, backends, _folder: folder }
    }

    /// Writes the configuration; a running service keeps what it has read.
    pub fn configure(&self, options: &Options) {
        self.process.write(&self.backends, options);
    }

    /// A world that is up.
    pub fn up(options: &Options) -> Self {
        let mut world = Self::new(options);
        world.start(&[]);
        world
    }

    pub fn backends(&self) -> &Backends {
        &self.backends
    }

    /// The records, beside the running service.
    pub async fn store(&self) -> Arc<dyn Database> {
        self.backends.open_store(self.folder()).await
    }
}

/// A world does whatever its one process does.
impl Deref for World {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.process.kill();
        self.backends.clear();
    }
}
