//! The connection to Redis: made when it is first needed, shared by everybody, made anew when it breaks.

use std::time::Duration;

use redis::Cmd;
use redis::Value;
use redis::aio::ConnectionLike as _;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::failure::Failure;
use crate::script::Script;
use crate::target::{Connection, Target};

/// The pause after the first failure to connect; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often a cluster is asked again that said "not here", and the pause before.
const REDIRECTIONS: u32 = 4;
const REDIRECTION_PAUSE: Duration = Duration::from_millis(25);

/// Redis, wherever it is.
pub(crate) struct Server {
    target: Target,
    state: Mutex<State>,
}

struct State {
    connection: Option<Connection>,
    /// Counts connections, so that a late complaint about an old one does not break the new one.
    generation: u64,
    failed: Option<Failed>,
}

/// Connecting failed: until then everybody is told so at once, instead of each waiting for a try of his own.
struct Failed {
    until: Instant,
    pause: Duration,
    why: Failure,
}

impl Server {
    /// Connects to nothing yet.
    pub(crate) fn new(target: Target) -> Self {
        Self { target, state: Mutex::new(State { connection: None, generation: 0, failed: None }) }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Runs a script on keys of one slot.
    ///
    /// `fill` adds the arguments; it is called again if Redis does not know the script yet.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: &[&str],
        fill: impl Fn(&mut Cmd),
    ) -> Result<Value, Failure> {
        let mut command = script.by_digest(keys);
        fill(&mut command);
        match self.ask(&command).await {
            Err(failure) if failure.is_missing_script() => {
                let mut command = script.by_code(keys);
                fill(&mut command);
                self.ask(&command).await
            }
            answer => answer,
        }
    }

    /// Sends a command on keys of one slot. It is sent again only if it was not executed for certain.
    pub(crate) async fn ask(&self, command: &Cmd) -> Result<Value, Failure> {
        let mut answer = self.ask_once(command).await;
        if self.target.is_cluster() {
            for again in 1..=REDIRECTIONS {
                if !answer.as_ref().is_err_and(Failure::is_redirection) {
                    break;
                }
                sleep(REDIRECTION_PAUSE * again).await;
                answer = self.ask_once(command).await;
            }
        }
        answer
    }

    /// Sends a command to every node that holds data.
    pub(crate) async fn ask_all(&self, command: &Cmd) -> Result<Vec<Value>, Failure> {
        let (generation, connection) = self.connection().await?;
        let answer = match connection {
            Connection::One(mut one) => one.req_packed_command(command).await.map(|value| vec![value]),
            Connection::Cluster(mut cluster) => {
                let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                cluster.route_command(command.clone(), everywhere).await.map(|value| match value {
                    Value::Map(by_address) => by_address.into_iter().map(|(_, value)| value).collect(),
                    value => vec![value],
                })
            }
        };
        let answers = answer.and_then(|values| values.into_iter().map(Value::extract_error).collect());
        self.judged(generation, answers.map_err(Failure::from)).await
    }

    async fn ask_once(&self, command: &Cmd) -> Result<Value, Failure> {
        let (generation, connection) = self.connection().await?;
        let answer = match connection {
            Connection::One(mut one) => one.req_packed_command(command).await,
            Connection::Cluster(mut cluster) => cluster.req_packed_command(command).await,
        };
        self.judged(generation, answer.and_then(Value::extract_error).map_err(Failure::from)).await
    }

    /// Gives up a connection that failed. A cluster's looks after itself.
    async fn judged<T>(&self, generation: u64, answer: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(failure) = &answer
            && failure.breaks_connection()
            && !self.target.is_cluster()
        {
            let mut state = self.state.lock().await;
            if state.generation == generation && state.connection.take().is_some() {
                warn!(error = failure as &dyn std::error::Error, "lost the connection to redis");
            }
        }
        answer
    }

    async fn connection(&self) -> Result<(u64, Connection), Failure> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection {
            return Ok((state.generation, connection.clone()));
        }
        if let Some(failed) = state.failed.as_ref().filter(|failed| Instant::now() < failed.until) {
            return Err(failed.why.clone());
        }
        match self.connect().await {
            Ok(connection) => {
                state.generation += 1;
                if state.failed.take().is_some() || state.generation > 1 {
                    info!("connected to redis again");
                }
                state.connection = Some(connection.clone());
                Ok((state.generation, connection))
            }
            Err(why) => {
                let pause =
                    state.failed.take().map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
                state.failed = Some(Failed { until: Instant::now() + pause, pause, why: why.clone() });
                Err(why)
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        // Finding the master takes a connection to a sentinel and one to the master more.
        let patience = self.target.connect_timeout() * 3;
        match timeout(patience, self.target.connect()).await {
            Ok(connected) => Ok(connected?),
            Err(_elapsed) => Err(Failure::Timeout(patience)),
        }
    }
}
