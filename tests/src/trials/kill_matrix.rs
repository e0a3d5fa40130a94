//! Everybody is killed, alone and in pairs, at random moments while events come in at full speed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::own_engines::Engine;
use crate::shape::Service;
use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Effort, Load, Scene, Verdict, Victim};

/// What is done to whom.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Events to get accepted.
    pub events: u32,
    /// Who is killed together.
    pub kills: Vec<Vec<Victim>>,
    /// Decides on the order, the moments, and which of two processes.
    pub seed: u64,
}

impl Plan {
    /// Everybody `times` times alone, and every two of them once.
    #[must_use]
    pub fn whole(events: u32, times: usize, seed: u64) -> Self {
        let alone = Victim::ALL.repeat(times).into_iter().map(|victim| vec![victim]);
        let pairs = Victim::pairs().into_iter().map(|pair| pair.to_vec());
        Self { events, kills: alone.chain(pairs).collect(), seed }
    }

    /// Everybody once alone, and the pairs that have most to do with each other.
    #[must_use]
    pub fn short(events: u32, seed: u64) -> Self {
        let pairs = [
            [Victim::Service(Service::IngestGateway), Victim::Engine(Engine::Redis)],
            [Victim::Service(Service::StorageWriter), Victim::Engine(Engine::Postgres)],
            [Victim::Engine(Engine::Postgres), Victim::Engine(Engine::ClickHouse)],
        ];
        let alone = Victim::ALL.map(|victim| vec![victim]).into_iter();
        Self { events, kills: alone.chain(pairs.map(|pair| pair.to_vec())).collect(), seed }
    }
}

/// How it went for one victim.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    alone: u32,
    in_pairs: u32,
    longest_alone: Duration,
    longest_in_pairs: Duration,
}

/// Kills all of the plan in turn, then reads everything back.
///
/// Kills are spread over the events: each has a share of them and strikes after a random part of it. The rest of the
/// share comes in while the victims are down, and the next share once everybody is ready again.
pub async fn run(scene: &mut Scene, plan: &Plan, effort: Effort) -> anyhow::Result<Report> {
    let mut dice = ChaCha8Rng::seed_from_u64(plan.seed);
    let mut kills = plan.kills.clone();
    kills.shuffle(&mut dice);
    let mut load = scene.load(effort);
    let mut fates: BTreeMap<Victim, Fate> = BTreeMap::new();
    let share = plan.events / u32::try_from(kills.len())?;
    let mut started = Instant::now();
    for (number, victims) in (0..).zip(&kills) {
        load.open((number + 1) * share);
        load.reach(number * share + dice.random_range(0..share)).await?;
        let took = kill_and_start(scene, &mut load, victims, &mut dice).await?;
        started = Instant::now();
        note(&mut fates, victims, took);
    }
    load.open(plan.events);
    let sent = load.finish().await?;
    let verdict = Verdict::on(scene, &sent, started).await?;
    scene.all_run()?;
    let (table, notes) = (table(&fates), vec![format!("{} kills, seed {}", kills.len(), plan.seed)]);
    Ok(Report { trial: "kill-matrix", table, notes, broken: Vec::new(), sent, verdict })
}

/// Gives how long it took from the kill until everybody was ready again.
async fn kill_and_start(
    scene: &mut Scene,
    load: &mut Load,
    victims: &[Victim],
    dice: &mut ChaCha8Rng,
) -> anyhow::Result<Duration> {
    let victims: Vec<_> = victims.iter().map(|victim| (*victim, dice.random_range(0..2))).collect();
    tokio::time::sleep(Duration::from_micros(dice.random_range(0..20_000))).await;
    scene.all_run()?;
    scene.kill(&victims).await?;
    let killed = Instant::now();
    scene.start_again(&victims).await?;
    load.phase();
    Ok(killed.elapsed())
}

fn note(fates: &mut BTreeMap<Victim, Fate>, victims: &[Victim], took: Duration) {
    for victim in victims {
        let fate = fates.entry(*victim).or_default();
        if victims.len() == 1 {
            fate.alone += 1;
            fate.longest_alone = fate.longest_alone.max(took);
        } else {
            fate.in_pairs += 1;
            fate.longest_in_pairs = fate.longest_in_pairs.max(took);
        }
    }
}

fn table(fates: &BTreeMap<Victim, Fate>) -> Table {
    let mut table =
        Table::of(&["killed with SIGKILL", "alone", "ready again in", "in pairs", "ready again in"]);
    for (victim, fate) in fates {
        table.add([
            victim.to_string(),
            fate.alone.to_string(),
            format!("≤ {}", seconds(fate.longest_alone)),
            fate.in_pairs.to_string(),
            format!("≤ {}", seconds(fate.longest_in_pairs)),
        ]);
    }
    table
}
