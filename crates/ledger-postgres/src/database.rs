//! The pool: every use of a connection goes through here, within a deadline and with the retries that are safe.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::failure::Failure;
use crate::options::{OpenError, PostgresOptions};

/// How often a transaction is begun anew.
const ATTEMPTS: u32 = 6;

/// How long the first of two transactions that got in each other's way is left alone.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// A statement with what is bound to it.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Several statements that are one transaction. Run again from the start where that may help, so it keeps nothing of
/// an earlier run.
pub(crate) trait Work: Sync {
    type Output: Send;

    /// How the transaction begins.
    const BEGIN: &'static str = "BEGIN";

    /// Does it; an error rolls back.
    fn run(
        &self,
        connection: &mut PgConnection,
    ) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

pub(crate) struct Database {
    pool: PgPool,
    deadline: Duration,
}

impl Database {
    /// Opens nothing yet.
    pub(crate) fn lazy(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self::connecting(options, options.for_services()?))
    }

    /// Opens nothing yet, and then as the owner.
    pub(crate) fn lazy_for_owner(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self::connecting(options, options.for_owner()?))
    }

    fn connecting(options: &PostgresOptions, how: PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_lazy_with(how);
        Self { pool, deadline: options.deadline() }
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// What a question finds. Asked again if the connection breaks.
    pub(crate) async fn rows<'q>(
        &self,
        ask: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<PgRow>, Failure> {
        self.within_deadline(async {
            let mut attempts = Attempts::default();
            loop {
                match self.rows_once(ask()).await {
                    Err(failure) if failure.may_pass() && attempts.another().await => {}
                    ended => return ended,
                }
            }
        })
        .await
    }

    /// How many rows one statement changed. It commits by itself, so it is not repeated when the connection breaks.
    pub(crate) async fn execute<'q>(
        &self,
        change: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<u64, Failure> {
        self.within_deadline(async {
            let mut attempts = Attempts::default();
            loop {
                match self.execute_once(change()).await {
                    Err(failure) if failure.nothing_happened() && attempts.another().await => {}
                    ended => return ended,
                }
            }
        })
        .await
    }

    /// Does work as one transaction. Begun anew when it gave way to another or the connection broke before anything
    /// could have been committed.
    pub(crate) async fn transaction<W: Work>(&self, work: &W) -> Result<W::Output, Failure> {
        self.within_deadline(async {
            let mut attempts = Attempts::default();
            loop {
                match self.transaction_once(work).await {
                    Err(Ended::Again(_)) if attempts.another().await => {}
                    Err(Ended::Again(failure) | Ended::ForGood(failure)) => return Err(failure),
                    Ok(output) => return Ok(output),
                }
            }
        })
        .await
    }

    async fn rows_once(&self, ask: Statement<'_>) -> Result<Vec<PgRow>, Failure> {
        let mut lease = Lease::of(&self.pool).await?;
        let rows = ask.fetch_all(lease.connection()).await.map_err(Failure::from);
        lease.settle(rows)
    }

    async fn execute_once(&self, change: Statement<'_>) -> Result<u64, Failure> {
        let mut lease = Lease::of(&self.pool).await?;
        let done = change.execute(lease.connection()).await.map_err(Failure::from);
        Ok(lease.settle(done)?.rows_affected())
    }

    async fn transaction_once<W: Work>(&self, work: &W) -> Result<W::Output, Ended> {
        let mut lease = Lease::of(&self.pool).await.map_err(Ended::of)?;
        let done = run_and_rollback(lease.connection(), work).await;
        let output = lease.settle(done).map_err(Ended::of)?;
        let committed = sqlx::raw_sql("COMMIT").execute(lease.connection()).await.map_err(Failure::from);
        match lease.settle(committed) {
            Ok(_) => Ok(output),
            Err(failure) if failure.nothing_happened() => Err(Ended::Again(failure)),
            // It may be committed or not.
            Err(failure) => Err(Ended::ForGood(failure)),
        }
    }

    async fn within_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        tokio::time::timeout(self.deadline, work).await.unwrap_or(Err(Failure::Deadline))
    }
}

/// Begins and runs; where that fails and the connection still works, leaves no transaction behind.
async fn run_and_rollback<W: Work>(connection: &mut PgConnection, work: &W) -> Result<W::Output, Failure> {
    sqlx::raw_sql(W::BEGIN).execute(&mut *connection).await?;
    match work.run(connection).await {
        Err(failure) if failure.leaves_the_connection() => {
            sqlx::raw_sql("ROLLBACK").execute(connection).await?;
            Err(failure)
        }
        ended => ended,
    }
}

/// How a transaction failed.
enum Ended {
    Again(Failure),
    ForGood(Failure),
}

impl Ended {
    /// Before a commit was tried.
    fn of(failure: Failure) -> Self {
        // Waiting for a connection has taken its time already.
        let waited = matches!(failure, Failure::Connection(sqlx::Error::PoolTimedOut));
        if failure.may_pass() && !waited { Self::Again(failure) } else { Self::ForGood(failure) }
    }
}

/// Counts attempts, and pauses between them.
#[derive(Default)]
struct Attempts(u32);

impl Attempts {
    async fn another(&mut self) -> bool {
        self.0 += 1;
        if self.0 < ATTEMPTS {
            tokio::time::sleep(FIRST_PAUSE * (1 << self.0)).await;
        }
        self.0 < ATTEMPTS
    }
}

/// A connection on loan. Unless it is known to be in order it does not go back: a caller that stops waiting in the
/// middle of an answer must not leave the rest of it to the next.
struct Lease {
    connection: Option<PoolConnection<Postgres>>,
    in_order: bool,
}

impl Lease {
    async fn of(pool: &PgPool) -> Result<Self, Failure> {
        Ok(Self { connection: Some(pool.acquire().await?), in_order: false })
    }

    fn connection(&mut self) -> &mut PgConnection {
        self.in_order = false;
        self.connection.as_mut().expect("it is taken when dropped")
    }

    /// Takes note of how a use of the connection ended.
    fn settle<T>(&mut self, ended: Result<T, Failure>) -> Result<T, Failure> {
        self.in_order = ended.as_ref().err().is_none_or(Failure::leaves_the_connection);
        ended
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.in_order
        {
            // Closed at once; the server rolls back what it was doing.
            drop(connection.detach());
        }
    }
}
