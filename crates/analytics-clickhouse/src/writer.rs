//! One thread that writes the batches of many callers together.
//!
//! ClickHouse wants few large inserts: each is a part on the disk, to be merged later and flushed now. So batches wait
//! for each other, until there are enough events or the first has waited long enough, and go out as one insert a table.
//! A caller hears that its rows are written when they are durable in all three; when one insert fails, everybody hears
//! of that, and what did get written is harmless, for it will be written again.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use clickhouse::{Client, RowWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::batch::Batch;
use crate::connection;
use crate::failure::{Failure, within};
use crate::options::{ClickHouseOptions, OpenError};
use crate::rows::{AppointmentRow, EventRow, SessionRow};

/// Callers that wait while a batch is written; more wait to be let in.
const WAITING: usize = 64;

/// Takes batches. Dropping it finishes the insert that is under way.
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    patience: Duration,
}

struct Job {
    batch: Batch,
    since: Instant,
    done: oneshot::Sender<Result<(), Arc<Failure>>>,
}

impl Writer {
    pub(crate) fn start(options: &ClickHouseOptions) -> Result<Self, OpenError> {
        let (sender, queue) = mpsc::channel(WAITING);
        // A client of its own: its connections live on the runtime they were made on.
        let work = Work {
            client: connection::writer(options)?,
            queue,
            max_rows: options.max_rows,
            max_age: options.max_age,
            insert_timeout: options.insert_timeout,
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(OpenError::Thread)?;
        let thread = std::thread::Builder::new()
            .name("clickhouse".to_owned())
            .spawn(move || work.run(&runtime))
            .map_err(OpenError::Thread)?;
        let patience = options.max_age + options.insert_timeout;
        Ok(Self { queue: Some(sender), thread: Some(thread), patience })
    }

    /// Writes a batch, with those of others; waits until it is durable, and no longer than an insert may take.
    pub(crate) async fn write(&self, batch: Batch) -> Result<(), Failure> {
        let queue = self.queue.as_ref().ok_or(Failure::Stopped)?;
        let (done, written) = oneshot::channel();
        let job = Job { batch, since: Instant::now(), done };
        within(self.patience, async {
            queue.send(job).await.map_err(|_closed| Failure::Stopped)?;
            written.await.map_err(|_dropped| Failure::Stopped)?.map_err(Failure::Batch)
        })
        .await
    }

    /// Whether it still takes batches.
    pub(crate) fn works(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| !queue.is_closed())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // It ends within the limit of an insert. Had it panicked, everybody who waited was told.
            drop(thread.join());
        }
    }
}

struct Work {
    client: Client,
    queue: mpsc::Receiver<Job>,
    max_rows: NonZeroUsize,
    max_age: Duration,
    insert_timeout: Duration,
}

impl Work {
    fn run(mut self, runtime: &Runtime) {
        runtime.block_on(async {
            while let Some(first) = self.queue.recv().await {
                let mut jobs = self.gather(first).await;
                // Who does not wait any more will bring it again.
                jobs.retain(|job| !job.done.is_closed());
                self.flush(jobs).await;
            }
        });
    }

    /// Until there are enough events, or the first has waited long enough.
    async fn gather(&mut self, first: Job) -> Vec<Job> {
        let until = first.since + self.max_age;
        let mut events = first.batch.events.len();
        let mut jobs = vec![first];
        while events < self.max_rows.get() {
            let Ok(Some(job)) = timeout_at(until, self.queue.recv()).await else { break };
            events += job.batch.events.len();
            jobs.push(job);
        }
        jobs
    }

    async fn flush(&self, jobs: Vec<Job>) {
        let (batches, waiting): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.batch, job.done)).unzip();
        if waiting.is_empty() {
            return;
        }
        let written = within(self.insert_timeout, self.insert(Batch::joined(batches))).await;
        let written = written.map_err(Arc::new);
        for done in waiting {
            // Who left meanwhile does not want to know.
            drop(done.send(written.clone()));
        }
    }

    async fn insert(&self, batch: Batch) -> Result<(), Failure> {
        let sessions = batch.sessions.iter().map(SessionRow::of);
        let appointments = batch.appointments.iter().map(AppointmentRow::of);
        tokio::try_join!(
            self.insert_into::<EventRow>("events", batch.events.into_iter()),
            self.insert_into::<SessionRow<'_>>("sessions", sessions),
            self.insert_into::<AppointmentRow<'_>>("appointments", appointments),
        )?;
        Ok(())
    }

    async fn insert_into<'a, R: RowWrite>(
        &self,
        table: &str,
        rows: impl ExactSizeIterator<Item = R::Value<'a>>,
    ) -> Result<(), Failure> {
        if rows.len() == 0 {
            return Ok(());
        }
        let mut insert = self.client.insert::<R>(table).await?;
        for row in rows {
            insert.write(&row).await?;
        }
        Ok(insert.end().await?)
    }
}
