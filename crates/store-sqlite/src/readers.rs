//! The connections that only read.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::connection::open_reader;
use crate::failure::Failure;

/// Questions answered at once; more would only wait for the same disk.
const AT_ONCE: usize = 2;

pub(crate) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn of(path: PathBuf) -> Self {
        Self { path, idle: Arc::default(), permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Runs `work` on one state of the file, however many statements it takes.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_closed| Failure::Stopped)?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let reading = move || {
            let _permit = permit;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match kept {
                Some(connection) => connection,
                None => open_reader(&path)?,
            };
            let snapshot = connection.unchecked_transaction()?;
            let found = work(&snapshot)?;
            snapshot.finish()?;
            // After an error the connection is not kept: a new one may do better.
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(found)
        };
        tokio::task::spawn_blocking(reading).await.map_err(|_panicked| Failure::Stopped)?
    }
}
