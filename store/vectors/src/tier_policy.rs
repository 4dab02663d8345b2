//! The policy of tiers: which width a record's codes deserve. All of it stands here.
//!
//! A record's *heat* is the logarithm of how often it was used, halved for each half-life that
//! it lies idle. The half-life is longer the more important the record is, and a pinned record
//! never cools below its importance. Thresholds of heat divide the tiers.
//!
//! Two things keep a record from going back and forth: it leaves a tier downwards only when its
//! heat is clearly below the threshold by which it would come back ([`Policy::slack`]), and it
//! stays in a tier for a while first ([`Policy::residency_down`], [`Policy::residency_up`]).
//!
//! A pure function of use, time and tier, in integers: the same everywhere.
//!
//! What it must never do: ask a clock, or overflow, whatever numbers it is given.

use clawft_codes::Width;

/// Heat is counted in 1/256.
const ONE: u32 = 256;
/// An importance of 1.
pub const MOST_IMPORTANT: u8 = 255;

/// Where a record's codes live, hottest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// 8 bits a component.
    Hot = 0,
    /// 7 bits.
    Warm = 1,
    /// 5 bits.
    Cool = 2,
    /// 3 bits.
    Cold = 3,
}

impl Tier {
    /// Every tier, the hottest first.
    pub const ALL: [Tier; 4] = [Tier::Hot, Tier::Warm, Tier::Cool, Tier::Cold];

    /// The width of its codes in groups; `None` for the hot one, whose 8-bit codes have one scale.
    pub(crate) const fn width(self) -> Option<Width> {
        match self {
            _ if !crate::TIERS => None,
            Tier::Hot => None,
            Tier::Warm => Some(Width::Seven),
            Tier::Cool => Some(Width::Five),
            Tier::Cold => Some(Width::Three),
        }
    }

    /// Bits a component.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Tier::Hot => 8,
            Tier::Warm => 7,
            Tier::Cool => 5,
            Tier::Cold => 3,
        }
    }
}

/// What is known of a record's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// How often it was used; its insertion counts as once.
    pub count: u32,
    /// When it was used last, in ms.
    pub last: u64,
    /// How important its owner holds it: 0 to [`MOST_IMPORTANT`].
    pub importance: u8,
    /// Whether it never cools below its importance.
    pub pinned: bool,
    /// When it came into its tier, in ms.
    pub since: u64,
}

/// Every number that the policy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Time, in ms, in which an idle record of no importance loses half its heat.
    pub half_life: u64,
    /// How many half-lives longer that takes for a record of the highest importance.
    pub importance_holds: u64,
    /// The least heat of each tier but the coldest, in 1/256: hot, warm, cool.
    pub thresholds: [u32; 3],
    /// A record goes down when its heat is below the threshold by more than this, in 1/256 of
    /// the threshold.
    pub slack: u32,
    /// How long, in ms, a record stays in a tier before it may go down.
    pub residency_down: u64,
    /// How long before it may go up: short, as a use is a reason.
    pub residency_up: u64,
    /// The heat that a pinned record of the highest importance never cools below, in 1/256.
    pub pinned_heat: u32,
}

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

impl Default for Policy {
    /// Hot is what was used three times of late, or fifteen times by a day ago. What was used
    /// once is warm for a few hours, cool for two days, then cold; what was used a thousand
    /// times is cold after six days.
    fn default() -> Self {
        Policy {
            half_life: 24 * HOUR,
            importance_holds: 3,
            thresholds: [2 * ONE, ONE * 3 / 4, ONE / 4],
            slack: ONE / 8,
            residency_down: HOUR,
            residency_up: MINUTE,
            pinned_heat: 2 * ONE,
        }
    }
}

impl Policy {
    /// The heat of a record at `now`, in 1/256. Times that lie ahead count as now.
    #[must_use]
    pub fn heat(&self, record: &Use, now: u64) -> u32 {
        let idle = now.saturating_sub(record.last);
        let importance = u64::from(record.importance);
        let holds = self.importance_holds.saturating_mul(importance) / u64::from(MOST_IMPORTANT);
        let life = self.half_life.saturating_mul(holds.saturating_add(1)).max(1);
        // Halved in whole half-lives; within one, along the chord.
        let fresh = u64::from(log2(record.count.saturating_add(1)));
        let halved = fresh >> (idle / life).min(63);
        // Of a life beyond 48 bits (9,000 years) the last bits do not matter, and the product fits.
        let drop = (u64::BITS - life.leading_zeros()).saturating_sub(48);
        let lost = halved * ((idle % life) >> drop) / (2 * (life >> drop));
        let heat = (halved - lost) as u32;
        let floor = u64::from(self.pinned_heat) * importance / u64::from(MOST_IMPORTANT);
        if record.pinned { heat.max(floor as u32) } else { heat }
    }

    /// The tier that a record in `tier` should be in at `now`.
    #[must_use]
    pub fn wanted(&self, record: &Use, now: u64, tier: Tier) -> Tier {
        let heat = self.heat(record, now);
        let stayed = now.saturating_sub(record.since);
        let entered = self.tier_at(heat, 0);
        if entered < tier {
            return if stayed >= self.residency_up { entered } else { tier };
        }
        let kept = self.tier_at(heat, self.slack);
        if kept > tier && stayed >= self.residency_down { kept } else { tier }
    }

    /// The hottest tier whose threshold, less its slack, is not above `heat`.
    fn tier_at(&self, heat: u32, slack: u32) -> Tier {
        let reached = |&threshold: &u32| {
            let less = u64::from(threshold) * u64::from(slack.min(ONE)) / u64::from(ONE);
            u64::from(heat) + less >= u64::from(threshold)
        };
        let [hot, warm, cool] = &self.thresholds;
        match (reached(hot), reached(warm), reached(cool)) {
            (true, _, _) => Tier::Hot,
            (_, true, _) => Tier::Warm,
            (_, _, true) => Tier::Cool,
            _ => Tier::Cold,
        }
    }
}

/// The logarithm to base 2 of a number from 1, in 1/256, along chords between powers of two.
fn log2(x: u32) -> u32 {
    let whole = x.max(1).ilog2();
    let behind = (u64::from(x.max(1)) << 8 >> whole) as u32 - ONE;
    whole * ONE + behind
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: u64 = 24 * HOUR;

    fn used(count: u32, last: u64) -> Use {
        Use { count, last, importance: 0, pinned: false, since: 0 }
    }

    fn uses() -> impl Strategy<Value = Use> {
        let count = prop_oneof![0u32..20, any::<u32>()];
        (count, 0..400 * DAY, any::<u8>(), any::<bool>(), 0..400 * DAY).prop_map(
            |(count, last, importance, pinned, since)| Use {
                count,
                last,
                importance,
                pinned,
                since,
            },
        )
    }

    #[test]
    fn the_default_is_as_its_words_say() {
        let policy = Policy::default();
        let tier = |count, idle| policy.tier_at(policy.heat(&used(count, 0), idle), 0);
        assert_eq!(tier(3, 0), Tier::Hot);
        assert_eq!(tier(2, 0), Tier::Warm);
        assert_eq!(tier(15, DAY), Tier::Hot);
        assert_eq!(tier(1, 11 * HOUR), Tier::Warm);
        assert_eq!(tier(14, DAY), Tier::Warm);
        assert_eq!(tier(1, 47 * HOUR), Tier::Cool);
        assert_eq!(tier(1, 3 * DAY), Tier::Cold);
        assert_eq!(tier(1000, 6 * DAY), Tier::Cold);
    }

    #[test]
    fn importance_holds_and_pins_hold_for_ever() {
        let policy = Policy::default();
        let mut record = used(1, 0);
        record.importance = MOST_IMPORTANT;
        assert_eq!(policy.heat(&record, 4 * DAY), ONE / 2);
        record.pinned = true;
        assert_eq!(policy.wanted(&record, 4000 * DAY, Tier::Cold), Tier::Hot);
        record.importance = MOST_IMPORTANT / 2;
        assert_eq!(policy.wanted(&record, 4000 * DAY, Tier::Hot), Tier::Warm);
        record.importance = 0;
        assert_eq!(policy.wanted(&record, 4000 * DAY, Tier::Hot), Tier::Cold);
    }

    /// How often a record moves whose heat goes up and down around a threshold, and that may
    /// move at any time.
    fn moves_around(threshold: u32, slack: u32) -> u32 {
        let policy = Policy { slack, residency_down: 0, residency_up: 0, ..Policy::default() };
        let record = used(1000, 0);
        let idle = (0..20 * DAY)
            .step_by(MINUTE as usize)
            .find(|&idle| policy.heat(&record, idle) < threshold)
            .expect("it cools below");
        let (mut tier, mut moves) = (Tier::Hot, 0);
        for look in 0..1000 {
            let now = if look % 2 == 0 { idle - HOUR / 2 } else { idle + HOUR / 2 };
            let next = policy.wanted(&record, now, tier);
            moves += u32::from(next != tier);
            tier = next;
        }
        moves
    }

    #[test]
    fn heat_around_a_threshold_moves_a_record_once() {
        let Policy { thresholds, slack, .. } = Policy::default();
        for threshold in thresholds {
            assert!(moves_around(threshold, slack) <= 1, "at {threshold}");
            assert!(moves_around(threshold, 0) > 900, "without slack, at {threshold}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 8 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_move_is_not_taken_back(record in uses(), now in 0..800 * DAY, at in 0usize..4) {
            let policy = Policy::default();
            let tier = Tier::ALL[at];
            let next = policy.wanted(&record, now, tier);
            if next == tier {
                return Ok(());
            }
            let moved = Use { since: now, ..record };
            // Neither at once nor when it may move again, unless it goes on cooling.
            prop_assert_eq!(policy.wanted(&moved, now, next), next);
            for later in [policy.residency_up, policy.residency_down, 9 * DAY] {
                prop_assert!(policy.wanted(&moved, now + later, next) >= next);
            }
            // Going down takes its time.
            prop_assert!(policy.wanted(&moved, now + policy.residency_down - 1, next) <= next);
        }

        /// A record used at any rate, looked at all the time, for a month: it settles.
        #[test]
        fn a_steady_use_settles(every in 1u64..72, count in 0u32..100, check in 1u64..30) {
            let policy = Policy::default();
            let (mut record, mut tier) = (used(count, 0), Tier::Hot);
            let (mut ups, mut uses_since_up) = (0u64, 0u64);
            for minutes in (0..60 * 24 * 30).step_by(check as usize) {
                let now = minutes * MINUTE;
                if now >= record.last + every * HOUR {
                    record.last = now;
                    uses_since_up += 1;
                }
                let next = policy.wanted(&record, now, tier);
                if next < tier {
                    ups += 1;
                    prop_assert!(uses_since_up > 0, "up without a use");
                    uses_since_up = 0;
                }
                if next != tier {
                    prop_assert!(now - record.since >= policy.residency_up);
                    record.since = now;
                    tier = next;
                }
            }
            // At most once for each use, and none where uses come faster than heat goes.
            prop_assert!(ups <= 30 * 24 / every + 1);
            if every <= 1 {
                prop_assert!(ups == 0, "{ups}");
            }
        }

        #[test]
        fn an_idle_record_reaches_the_coldest_tier(record in uses(), at in 0usize..4) {
            let policy = Policy::default();
            let record = Use { pinned: false, ..record };
            let late = record.last.max(record.since) + 60 * DAY;
            prop_assert_eq!(policy.wanted(&record, late, Tier::ALL[at]), Tier::Cold);
        }

        #[test]
        fn a_used_one_comes_back(record in uses(), now in 400 * DAY..900 * DAY) {
            let policy = Policy::default();
            let record = Use { count: record.count.max(2), last: now, since: now - DAY, ..record };
            prop_assert!(policy.wanted(&record, now, Tier::Cold) <= Tier::Warm);
            let often = Use { count: record.count.max(3), ..record };
            prop_assert_eq!(policy.wanted(&often, now, Tier::Cold), Tier::Hot);
        }

        #[test]
        fn heat_rises_with_use_and_falls_with_time(record in uses(), now in any::<u64>(), more in 0u64..DAY) {
            let policy = Policy::default();
            let heat = policy.heat(&record, now);
            prop_assert!(policy.heat(&record, now.saturating_add(more)) <= heat);
            let again = Use { count: record.count.saturating_add(1), ..record };
            prop_assert!(policy.heat(&again, now) >= heat);
        }

        #[test]
        fn any_policy_serves(record in uses(), now in any::<u64>(), n in any::<[u32; 6]>(), t in any::<[u64; 4]>()) {
            let policy = Policy {
                half_life: t[0],
                importance_holds: t[1],
                thresholds: [n[0], n[1], n[2]],
                slack: n[3],
                residency_down: t[2],
                residency_up: t[3],
                pinned_heat: n[4],
            };
            for tier in Tier::ALL {
                let _ = policy.wanted(&record, now, tier);
            }
        }
    }
}
