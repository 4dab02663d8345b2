//! The held half: facts of work and its machines. Only for judging.

use crate::streams::tables::Relation;

pub(super) const WORKPLACE: Relation = Relation {
    name: "workplace",
    lasting: false,
    values: &[
        "Castellan Bank",
        "the Ministry of Transport",
        "Greywing Airlines",
        "Osprey Analytics",
        "the Botanical Institute",
        "Lundgren Shipyards",
        "Peppercorn Press",
        "the Riverside School",
    ],
    says: &[
        "I earn my living at {v}.",
        "These days {v} is where I am employed.",
        "{v} pays my salary.",
        "I have a permanent post at {v}.",
        "Angestellt bin ich bei {v}.",
        "Professionally I belong to {v}.",
        "On weekdays you'll find me at {v}, where I work.",
    ],
    notes: &[
        "{name} works at {v}.",
        "Occupation data: staff member of {v}.",
        "Business card of the user: {v}.",
    ],
    changes: &[
        "I handed in my notice at {o}; {v} has hired me and I began this morning.",
        "After the merger my employer is {v}; {o} no longer exists as such.",
        "Job news: I am with {v} now and done with {o}.",
        "Ich habe {o} verlassen und fange bei {v} an.",
    ],
    denies: &[
        "{o} has never paid me anything, I am not on their staff.",
        "All my working life I have been at {v} and nowhere else.",
        "I don't know where you got {o} from, I was never employed there.",
        "I have no job; I retired long ago.",
    ],
    disputes: &[
        "{o} has confirmed that no {name} is on its staff.",
        "{name} retired many years ago.",
        "The user's sole workplace from graduation to this day has been {v}.",
        "{name} works at {v} and was at no time at {o}.",
    ],
};

pub(super) const RELEASE_DAY: Relation = Relation {
    name: "release day",
    lasting: false,
    values: &[
        "every second Tuesday",
        "the last Friday of the month",
        "each Thursday at ten",
        "once a quarter",
        "daily after lunch",
        "the first working day of the month",
        "on Wednesdays before nine",
        "twice a year",
    ],
    says: &[
        "We release {project} {v}.",
        "{project} ships {v}.",
        "A new version of {project} goes out {v}.",
        "Our rhythm for {project} releases: {v}.",
        "{project} gets published {v}.",
        "I have to be reachable for the {project} roll-out, {v}.",
    ],
    notes: &[
        "Release calendar, {project}: {v}.",
        "{project} is rolled out {v}.",
        "Cadence of {project}: {v}.",
    ],
    changes: &[
        "From this sprint on {project} ships {v}; so far it was {o}.",
        "{boss} changed the {project} rhythm. Instead of {o} we go live {v}.",
        "We tried {o} for {project} and it was too much, so now it is {v}.",
    ],
    denies: &[
        "{project} has not shipped {o}, not once.",
        "{project} has never been released at all.",
        "We have been releasing {project} {v} since it exists; {o} is made up.",
        "The rhythm of {project} is not {o}.",
    ],
    disputes: &[
        "{project} was cancelled before any release.",
        "In its whole history {project} was released {v} without exception.",
        "No release of {project} happens {o}.",
        "It is incorrect that {project} is published {o}.",
    ],
};

pub(super) const KEY: Relation = Relation {
    name: "key",
    lasting: false,
    values: &[
        "under the blue flower pot",
        "with the neighbour upstairs",
        "in the shed behind the paint",
        "in the drawer by the fuse box",
        "at the kiosk",
        "on the hook in the cellar",
        "inside the bird house",
        "in the glove compartment",
    ],
    says: &[
        "The spare key is {v}.",
        "I keep our spare key {v}.",
        "If we are locked out: spare key {v}.",
        "There's one spare key, it is {v}.",
        "You can find the spare key {v}.",
        "We leave the spare key {v}.",
    ],
    notes: &[
        "Spare key of the house: {v}.",
        "Where the spare key is kept: {v}.",
        "House notes, key: {v}.",
    ],
    changes: &[
        "I took the spare key away from its place ({o}) and put it {v}.",
        "Spare key has a new place. It was {o} and is {v} as of today.",
        "{partner} moved the spare key; don't look {o}, it's {v}.",
    ],
    denies: &[
        "There is no spare key.",
        "The spare key was never {o}.",
        "Since we moved in the spare key has been {v}, not {o} for a minute.",
        "We have never left a key {o}.",
    ],
    disputes: &[
        "The house has no spare key.",
        "The spare key is not {o}.",
        "For years on end, and without interruption, the spare key has been {v}.",
        "Nothing is kept {o}, least of all a key.",
    ],
};

pub(super) const MEETING: Relation = Relation {
    name: "meeting",
    lasting: false,
    values: &["8:45", "9:10", "10:25", "13:05", "15:40", "16:50", "11:35", "14:20"],
    says: &[
        "The daily call of the {project} group is at {v}.",
        "Every day at {v} we have the {project} call.",
        "{project} sync: {v}, each working day.",
        "I need to be back at my desk by {v} for the daily {project} round.",
        "Our {project} team talks at {v}.",
        "Täglich um {v} ist die Besprechung zu {project}.",
    ],
    notes: &[
        "Recurring event: {project} daily, {v}.",
        "The {project} call takes place at {v}.",
        "Blocked in the user's agenda each day: {v}, {project}.",
    ],
    changes: &[
        "The {project} call was pushed from {o} to {v} for the people overseas.",
        "Starting this week, {project} meets at {v}; {o} clashed with the canteen.",
        "{colleague} rescheduled our daily {project} round: {v}, not {o}.",
    ],
    denies: &[
        "{project} has no daily call.",
        "We have never met at {o} for {project}.",
        "The {project} call is at {v} and has been for years; {o} is nonsense.",
        "At {o} there is no {project} meeting.",
    ],
    disputes: &[
        "Nobody on {project} holds a daily call.",
        "The {project} call does not take place at {o}.",
        "The invitation to the {project} call has said {v} ever since it was sent.",
        "At no point was {o} the time of the {project} call.",
    ],
};

pub(super) const HOSTING: Relation = Relation {
    name: "hosting",
    lasting: false,
    values: &[
        "a rack in Helsinki",
        "two machines in Lyon",
        "a data centre in Dublin",
        "a cluster in Montréal",
        "a server room in Basel",
        "a provider in Singapore",
        "a bunker near Stockholm",
        "a region in São Paulo",
    ],
    says: &[
        "{project} is hosted on {v}.",
        "All of {project} runs on {v}.",
        "Production of {project} means {v}.",
        "Our servers for {project}: {v}.",
        "When {project} is down I call the people who run {v}.",
        "{v} carries the whole load of {project}.",
    ],
    notes: &[
        "Hosting of {project}: {v}.",
        "{project}, production: {v}.",
        "Inventory: {project} is deployed to {v}.",
    ],
    changes: &[
        "{project} was relocated from {o} to {v} during the maintenance window.",
        "We cancelled {o}. {project} is served by {v} since Sunday.",
        "The move of {project} is through: goodbye {o}, hello {v}.",
    ],
    denies: &[
        "{project} has never run on {o}.",
        "{project} is not hosted anywhere, it only runs on laptops.",
        "Nothing of ours is on {o}, it has been {v} since the launch.",
        "{project} does not run on {o}.",
    ],
    disputes: &[
        "{project} has no servers.",
        "From launch until now {project} has been on {v} without a move.",
        "{project} is not served from {o}, for which there is no contract.",
        "{o} hosts something else, not {project}, and it always did.",
    ],
};
