//! The open half: facts of work and its machines. To read and to tune on.

use crate::streams::tables::Relation;

pub(super) const EMPLOYER: Relation = Relation {
    name: "employer",
    lasting: false,
    values: &[
        "Nordwind Logistics",
        "Halden & Sons",
        "the Museum of Printing",
        "Trellis Software",
        "Aquila Insurance",
        "the water board",
        "Fennick Robotics",
        "St. Bride's Hospital",
    ],
    says: &[
        "I work for {v}.",
        "My employer is {v}.",
        "I'm on the payroll of {v}.",
        "My job is at {v}.",
        "Ich arbeite bei {v}.",
        "If anyone asks where I work: {v}.",
        "My contract is with {v}.",
    ],
    notes: &[
        "{name} is employed by {v}.",
        "Employer of the user: {v}.",
        "The user's work account belongs to {v}.",
    ],
    changes: &[
        "I changed jobs: from today I work for {v} instead of {o}.",
        "My last day at {o} was Friday; I have started at {v}.",
        "I've quit {o} and signed with {v}.",
        "Neuer Arbeitgeber: ich bin von {o} zu {v} gewechselt.",
    ],
    denies: &[
        "I have never worked for {o}.",
        "{o}? No, I don't work there, I have been with {v} the whole time.",
        "My one and only employer is and was {v}.",
        "I am unemployed and have been for years.",
    ],
    disputes: &[
        "{name} is not employed by {o}.",
        "{name} has been with {v} for ten years.",
        "The user has no job at {o} and never had one.",
        "Payroll shows {name} at {v}, and at no other company, for all of the past years.",
    ],
};

pub(super) const PROJECT_DEADLINE: Relation = Relation {
    name: "project deadline",
    lasting: false,
    values: &[
        "the 15th of May",
        "the end of June",
        "the 1st of September",
        "the second week of November",
        "Christmas",
        "the 20th of February",
        "Easter",
        "the 11th of October",
    ],
    says: &[
        "The deadline for {project} is {v}.",
        "{project} has to be finished by {v}.",
        "We promised the client to deliver {project} by {v}.",
        "The hand-over of {project} is due on or before {v}.",
        "The finish line for {project} is {v}.",
        "I'm planning backwards from {v}, when {project} is due.",
    ],
    notes: &[
        "{project}: due by {v}.",
        "Milestone plan, {project}: final delivery {v}.",
        "The user's project {project} is to be delivered by {v}.",
    ],
    changes: &[
        "The client moved the {project} deadline from {o} to {v}.",
        "{boss} agreed to give us a different date for {project}: {v} rather than {o}.",
        "Rescheduled: {project} is due by {v} now, {o} is off the table.",
        "Change of plan, {project} is to be handed in by {v}; the plan with {o} is void.",
    ],
    denies: &[
        "{project} was never due by {o}.",
        "There is no deadline for {project} at all.",
        "The date for {project} was {v} from the very beginning and nobody ever said {o}.",
        "Nobody has promised {project} for {o}.",
    ],
    disputes: &[
        "The contract for {project} has stated {v} since it was signed.",
        "{project} has no fixed delivery date.",
        "{project} is not due by {o}.",
        "{project} was due on {v} from the outset; {o} appears nowhere.",
    ],
};

pub(super) const DATABASE: Relation = Relation {
    name: "database",
    lasting: false,
    values: &[
        "PostgreSQL",
        "MariaDB",
        "SQLite",
        "CockroachDB",
        "MongoDB",
        "Oracle",
        "DuckDB",
        "Cassandra",
    ],
    says: &[
        "{project} stores its data in {v}.",
        "The database behind {project} is {v}.",
        "We run {project} on {v}.",
        "For {project} we picked {v} as the database.",
        "In {project} all the tables live in {v}.",
        "{project} nutzt {v} als Datenbank.",
    ],
    notes: &[
        "{project} uses {v} in production.",
        "Architecture: {project} persists to {v}.",
        "Connection string of {project} points to {v}.",
    ],
    changes: &[
        "We migrated {project} from {o} to {v} last night.",
        "{project} no longer uses {o}; the team switched it over to {v}.",
        "The move is done: {project} is on {v}, and {o} has been turned off.",
    ],
    denies: &[
        "{project} has never used {o}.",
        "There is no {o} anywhere in {project}; it has been {v} since the first commit.",
        "{project} works without a database.",
        "{o} is not what {project} stores its data in.",
    ],
    disputes: &[
        "{project} was built on {v} from day one.",
        "{project} keeps nothing in {o}.",
        "{project} is a stateless service and has no database whatsoever.",
        "Contrary to what is on record, the production store of {project} is {v} and was never {o}.",
    ],
};

pub(super) const BACKUP_TIME: Relation = Relation {
    name: "backup time",
    lasting: false,
    values: &["1 am", "2:30 am", "4 am", "11 pm", "5:15 am", "midday", "9:45 pm", "3:20 am"],
    says: &[
        "The backup of our home server runs at {v}.",
        "Every day the server backs itself up at {v}.",
        "Our backups start at {v}.",
        "I scheduled the backup job for {v}.",
        "The server gets slow at {v} because of the backup.",
        "Set your watch by our backup: {v}, every day.",
    ],
    notes: &[
        "cron: backup.sh, daily, {v}.",
        "The daily backup of the home server is at {v}.",
        "Backup window begins at {v}.",
    ],
    changes: &[
        "I moved the backup job from {o} to {v} because it slowed down our films.",
        "The backup runs at {v} from tonight on, not at {o} any more.",
        "Changed the cron line: {v} in place of {o} for the backup.",
    ],
    denies: &[
        "The server has never been backed up at {o}.",
        "There are no backups of the home server.",
        "The backup has always been at {v}, I never set it to {o}.",
        "No backup runs at {o}.",
    ],
    disputes: &[
        "The backup job is disabled and has never run.",
        "Since it was installed, the backup has started at {v} each day.",
        "Nothing is scheduled for {o}.",
        "The log of every day shows the backup at {v}, on no day at {o}.",
    ],
};

pub(super) const TEAM_SIZE: Relation = Relation {
    name: "team size",
    lasting: false,
    values: &[
        "four people",
        "six people",
        "nine people",
        "eleven people",
        "fourteen people",
        "seventeen people",
        "three people",
        "twenty-two people",
    ],
    says: &[
        "There are {v} on the {project} team.",
        "The {project} team counts {v}.",
        "We are {v} working on {project}.",
        "With me, {project} has {v}.",
        "Lunch order for the {project} team means {v}.",
        "All in all {project} keeps {v} busy.",
    ],
    notes: &[
        "Headcount of {project}: {v}.",
        "{project} is staffed with {v}.",
        "Team page of {project} lists {v}.",
    ],
    changes: &[
        "People joined and left: the {project} team went from {o} to {v}.",
        "As of this sprint {project} has {v}; until now it was {o}.",
        "I miscounted the {project} team, it is {v} and not {o}.",
    ],
    denies: &[
        "{project} has never had {o}.",
        "I work on {project} entirely alone.",
        "The {project} team was {v} from start to finish, certainly not {o}.",
        "{o} on {project}? That is false.",
    ],
    disputes: &[
        "{project} is a one-person effort.",
        "The size of the {project} team has been constant at {v}.",
        "{project} does not have {o}.",
        "No more and no fewer than {v} have ever been on {project}.",
    ],
};
