//! Each figure of a simulation: its name in JSON, its line in a table, and where it comes from.

use tests::nation::{Plan, Report};

/// One figure.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// Whether it says anything to compare it between sizes.
    pub(crate) grows: bool,
    pub(crate) value: fn(&Report) -> Option<f64>,
}

const fn row(
    name: &'static str,
    label: &'static str,
    grows: bool,
    value: fn(&Report) -> Option<f64>,
) -> Row {
    Row {
        name,
        label,
        grows,
        value,
    }
}

const MB: f64 = 1e6;

/// All figures, in the order in which they are shown.
pub(crate) const ROWS: &[Row] = &[
    row("hubs", "hubs", false, |it| Some(it.plan.hubs as f64)),
    row(
        "one_in",
        "simulated: one hub in so many writes, all read",
        false,
        |it| Some(it.plan.one_in as f64),
    ),
    row(
        "day_entries",
        "simulated: entries of the ordinary day",
        false,
        |it| Some(it.day.entries as f64),
    ),
    row(
        "reunion_entries",
        "simulated: entries of the week apart",
        false,
        |it| Some(it.reunion.entries as f64),
    ),
    row("spaces", "shared spaces", true, |it| Some(it.spaces as f64)),
    row("hub_spaces", "spaces of a hub", true, |it| {
        Some(it.spaces_of_hub)
    }),
    row(
        "entries_held",
        "entries held by the coordinator",
        true,
        |it| Some(it.entries as f64),
    ),
    row("hub_entries_held", "entries held by a hub", true, |it| {
        Some(it.entries_of_hub as f64)
    }),
    row(
        "heights_bytes",
        "heights of the largest space, bytes",
        true,
        |it| Some(it.heights as f64),
    ),
    row(
        "heights_full_bytes",
        "the same if every hub writes",
        true,
        |it| Some(it.heights_full as f64),
    ),
    row(
        "hello_bytes",
        "Hellos of a hub, both ways, nothing changed, bytes",
        true,
        |it| per_hub(it, it.again.kind("hello").bytes),
    ),
    row(
        "again_hub_bytes",
        "all messages of that reconnection, bytes a hub",
        true,
        |it| per_hub(it, it.again.down.bytes + it.again.up.bytes),
    ),
    row(
        "again_engine_s",
        "s in the coordinator's engine for it, all hubs",
        true,
        |it| Some(it.measured.again.as_secs_f64()),
    ),
    row(
        "peer_memory_bytes",
        "a hub's memory of the coordinator, bytes",
        true,
        |it| Some(it.memory as f64),
    ),
    row(
        "peer_memories_bytes",
        "the coordinator's memory of all hubs, bytes",
        true,
        |it| Some(it.memories as f64),
    ),
    row(
        "day_hub_mb",
        "ordinary day, all hubs writing: MB of a hub",
        true,
        |it| {
            per_hub(it, it.day.down.bytes + it.day.up.bytes).map(|bytes| bytes * full_day(it) / MB)
        },
    ),
    row("day_hub_messages", "its messages", true, |it| {
        let messages = it.day.down.messages + it.day.up.messages;
        per_hub(it, messages).map(|messages| messages * full_day(it))
    }),
    row("day_sent_mb", "MB that the coordinator sends", true, |it| {
        Some(it.day.down.bytes as f64 * full_day(it) / MB)
    }),
    row("day_received_mb", "MB that it receives", true, |it| {
        Some(it.day.up.bytes as f64 * full_day(it) / MB)
    }),
    row(
        "entry_bytes",
        "bytes at the coordinator for one entry",
        true,
        |it| per_entry(it, it.day.down.bytes + it.day.up.bytes),
    ),
    row("entry_bytes_entries", "of it entries", true, |it| {
        per_entry_of(it, "entries")
    }),
    row(
        "entry_bytes_acknowledged",
        "of it acknowledgements",
        true,
        |it| per_entry_of(it, "acknowledged"),
    ),
    row("entry_bytes_receipts", "of it receipts", true, |it| {
        Some(per_entry_of(it, "receipts")?).filter(|_| it.plan.receipts)
    }),
    row(
        "entry_messages",
        "messages at the coordinator for one entry",
        true,
        |it| per_entry(it, it.day.down.messages + it.day.up.messages),
    ),
    row(
        "entry_engine_us",
        "µs in the coordinator's engine for one entry",
        true,
        |it| Some(it.measured.day_per_entry.as_secs_f64() * 1e6),
    ),
    row(
        "deadline_us",
        "µs to ask it for its next deadline",
        true,
        |it| Some(it.measured.deadline.as_secs_f64() * 1e6),
    ),
    row("reunion_hub_mb", "reunion: MB of a hub", true, |it| {
        per_hub(it, it.reunion.down.bytes + it.reunion.up.bytes).map(|bytes| bytes / MB)
    }),
    row(
        "reunion_sent_mb",
        "MB that the coordinator sends",
        true,
        |it| Some(it.reunion.down.bytes as f64 / MB),
    ),
    row("reunion_received_mb", "MB that it receives", true, |it| {
        Some(it.reunion.up.bytes as f64 / MB)
    }),
    row(
        "reunion_entries_mb",
        "MB of it all that are entries",
        true,
        |it| Some(it.reunion.kind("entries").bytes as f64 / MB),
    ),
    row(
        "reunion_acknowledged_mb",
        "MB of it all that are acknowledgements",
        true,
        |it| Some(it.reunion.kind("acknowledged").bytes as f64 / MB),
    ),
    row(
        "reunion_heights_mb",
        "MB of it all that are Hellos and heights",
        true,
        |it| {
            let kinds = ["hello", "heights"].map(|kind| it.reunion.kind(kind).bytes);
            Some(kinds.iter().sum::<u64>() as f64 / MB)
        },
    ),
    row(
        "reunion_receipts_mb",
        "MB of it all that are receipts",
        true,
        |it| Some(it.reunion.kind("receipts").bytes as f64 / MB).filter(|_| it.plan.receipts),
    ),
    row("reunion_messages", "messages", true, |it| {
        Some((it.reunion.down.messages + it.reunion.up.messages) as f64)
    }),
    row(
        "reunion_equal_s",
        "virtual s until all know that they are equal",
        true,
        |it| Some(it.reunion.equal.as_secs_f64()),
    ),
    row(
        "reunion_quiet_s",
        "virtual s until nothing is said any more",
        true,
        |it| Some(it.reunion.quiet.as_secs_f64()),
    ),
    row(
        "reunion_lost",
        "sessions lost in it and dialled again",
        false,
        |it| Some(it.reunion.lost as f64),
    ),
    row(
        "reunion_engine_s",
        "s in the coordinator's engine",
        true,
        |it| Some(it.measured.reunion.as_secs_f64()),
    ),
    row(
        "reunion_hub_engine_ms",
        "ms in a hub's engine",
        true,
        |it| Some(it.measured.reunion_hub.as_secs_f64() * 1e3),
    ),
    row(
        "coordinator_line_share",
        "of an ordinary day: coordinator's line busy, %",
        true,
        |it| Some(share(it, Limit::CoordinatorLine)),
    ),
    row("hub_line_share", "a hub's line, %", true, |it| {
        Some(share(it, Limit::HubLine))
    }),
    row("engine_share", "coordinator's engine, %", true, |it| {
        Some(share(it, Limit::Engine))
    }),
    row(
        "deadline_share",
        "asking it for deadlines, once a message, %",
        true,
        |it| Some(share(it, Limit::Deadlines)),
    ),
    row("wall_s", "s that the simulation took", false, |it| {
        Some(it.measured.wall.as_secs_f64())
    }),
    row(
        "peak_rss_mib",
        "MiB that the simulation had resident at most",
        false,
        |it| Some(it.measured.peak_rss_kib? as f64 / 1_024.0),
    ),
];

/// What a working day has only so much of.
#[derive(Debug, Clone, Copy)]
enum Limit {
    CoordinatorLine,
    HubLine,
    Engine,
    Deadlines,
}

impl Limit {
    const ALL: [Self; 4] = [
        Self::CoordinatorLine,
        Self::HubLine,
        Self::Engine,
        Self::Deadlines,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::CoordinatorLine => "the coordinator's line",
            Self::HubLine => "the hubs' lines",
            Self::Engine => "the coordinator's engine",
            Self::Deadlines => "asking the coordinator's engine for deadlines",
        }
    }
}

/// What is nearest to its limit on an ordinary day, and of which messages most bytes are.
pub(crate) fn breaks_first(report: &Report) -> String {
    let shares = Limit::ALL.map(|limit| (share(report, limit), limit));
    let most = shares
        .into_iter()
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let kinds = report.day.kinds.iter();
    let kind = kinds.max_by_key(|(_, traffic)| traffic.bytes);
    let (Some((share, limit)), Some((kind, traffic))) = (most, kind) else {
        return String::new();
    };
    let all = report.day.down.bytes + report.day.up.bytes;
    let part = traffic.bytes * 100 / all.max(1);
    let name = limit.name();
    format!("{name} ({share:.1}%); {kind} are {part}% of all bytes")
}

/// How much of a limit an ordinary day takes on which all hubs write, in percent.
fn share(report: &Report, limit: Limit) -> f64 {
    let scale = full_day(report);
    let day = Plan::day_seconds() as f64;
    let seconds = |bytes: f64, bits: u64| bytes * 8.0 / bits as f64;
    let (plan, down) = (&report.plan, report.day.down.bytes as f64);
    let taken = match limit {
        Limit::CoordinatorLine => seconds(down, plan.coordinator_bits),
        Limit::HubLine => seconds(down / plan.hubs as f64, plan.hub_bits),
        Limit::Engine => report.measured.day_per_entry.as_secs_f64() * report.day.entries as f64,
        Limit::Deadlines => report.measured.deadline.as_secs_f64() * report.day.up.messages as f64,
    };
    taken * scale / day * 100.0
}

/// How many times what was simulated an ordinary day is on which all hubs write.
fn full_day(report: &Report) -> f64 {
    report.plan.entries_of_full_day() as f64 / report.day.entries.max(1) as f64
}

fn per_hub(report: &Report, count: u64) -> Option<f64> {
    Some(count as f64 / report.plan.hubs as f64)
}

fn per_entry(report: &Report, count: u64) -> Option<f64> {
    Some(count as f64 / report.day.entries.max(1) as f64)
}

fn per_entry_of(report: &Report, kind: &str) -> Option<f64> {
    per_entry(report, report.day.kind(kind).bytes)
}
