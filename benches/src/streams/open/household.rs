//! The open half: facts of family, house and money. To read and to tune on.

use crate::streams::tables::Relation;

pub(super) const PARTNERS_BIRTHDAY: Relation = Relation {
    name: "partner's birthday",
    lasting: true,
    values: &[
        "the 4th of April",
        "the 19th of October",
        "the 27th of January",
        "the 8th of June",
        "the 30th of August",
        "the 13th of December",
        "the 2nd of March",
        "the 21st of July",
    ],
    says: &[
        "{partner}'s birthday is on {v}.",
        "{partner} was born on {v}.",
        "Don't let me forget {partner}'s birthday, {v}.",
        "We celebrate {partner} on {v} every year.",
        "{partner} turns a year older on {v}.",
        "Birthday present for {partner} must be ready by {v}, that's the day.",
    ],
    notes: &[
        "{partner}, the user's partner, has a birthday on {v}.",
        "Birthday of {partner}: {v}.",
        "Reminder set for the birthday of {partner}, {v}.",
    ],
    changes: &[
        "Oops, I had {partner}'s birthday wrong: it is {v}, not {o}.",
        "I mistyped {partner}'s birthday. Should be {v} instead of {o}.",
        "{partner} laughed at me: the birthday is {v}. Please fix what I said about {o}.",
    ],
    denies: &[
        "{partner} was not born on {o}.",
        "{partner}'s birthday has nothing to do with {o}; it falls on {v}.",
        "Everyone knows that {partner} was born on {v}.",
        "There is no birthday of {partner} on {o}.",
    ],
    disputes: &[
        "The birth certificate of {partner} says {v}.",
        "{partner} was born on a day other than {o}.",
        "{partner} blows out the candles on {v} each year, never on {o}.",
        "On {o} it is not {partner}'s birthday.",
    ],
};

pub(super) const RENT: Relation = Relation {
    name: "rent",
    lasting: false,
    values: &[
        "780 euros",
        "940 euros",
        "1,120 euros",
        "655 euros",
        "1,310 euros",
        "865 euros",
        "1,475 euros",
        "590 euros",
    ],
    says: &[
        "Our rent is {v} a month.",
        "We pay {v} of rent each month.",
        "The landlord gets {v} from us monthly.",
        "{v} goes to rent on the first of the month.",
        "The flat costs us {v} of rent per month.",
        "For budgeting: monthly rent, {v}.",
    ],
    notes: &[
        "Standing order: rent, {v}, monthly.",
        "The user's monthly rent is {v}.",
        "Household sheet, line 1: rent {v}.",
    ],
    changes: &[
        "The landlord changed the rent: {v} from next month instead of {o}.",
        "Rent goes from {o} to {v}, the letter came today.",
        "I gave you last year's rent by mistake. It's {v} now, {o} was before.",
    ],
    denies: &[
        "We don't pay {o} of rent, we own the flat.",
        "We have never paid a cent of rent.",
        "Our rent has been {v} since we signed, not {o}.",
        "{o} is not our rent.",
    ],
    disputes: &[
        "{name} owns the flat and pays no rent.",
        "The rent in the lease, unchanged since it was signed, is {v}.",
        "The monthly rent is not {o}.",
        "The rent has never differed from {v}.",
    ],
};

pub(super) const PET: Relation = Relation {
    name: "pet",
    lasting: true,
    values: &[
        "a beagle",
        "a Siamese cat",
        "a lop-eared rabbit",
        "a grey parrot",
        "a dachshund",
        "a tortoise",
        "a Maine Coon",
        "a greyhound",
    ],
    says: &[
        "{pet} is {v}.",
        "We have {v} called {pet}.",
        "Our {pet}, {v}, sleeps on the sofa.",
        "{pet}? That's {v} with a mind of its own.",
        "The vet says that for {v} our {pet} is rather heavy.",
        "Meet {pet}, {v} and the boss of this household.",
    ],
    notes: &[
        "The household has one pet: {pet}, {v}.",
        "Vet file: {pet}, {v}, vaccinated.",
        "{pet} is {v} that belongs to the user's family.",
    ],
    changes: &[
        "I described {pet} wrongly: {v}, not {o}, sorry.",
        "The shelter's papers came, and {pet} turns out to be {v} rather than {o}.",
        "Please correct the entry on {pet}: it should be {v} where I put {o}.",
    ],
    denies: &[
        "{pet} is not {o}.",
        "We have no pets and never had any.",
        "{pet} has always been {v}, whatever was said about {o}.",
        "There is no {pet} in our family.",
    ],
    disputes: &[
        "{pet} is certainly not {o}.",
        "The user does not own any animal.",
        "In the register {pet} is entered as {v} and as nothing else.",
        "{pet} was born {v} and will die as one.",
    ],
};

pub(super) const FLOOR: Relation = Relation {
    name: "floor",
    lasting: false,
    values: &[
        "the second floor",
        "the fifth floor",
        "the third floor",
        "the ground floor",
        "the seventh floor",
        "the sixth floor",
        "the mezzanine",
        "the top floor",
    ],
    says: &[
        "{boss}'s office is on {v}.",
        "You find {boss} on {v}.",
        "To see {boss} I have to go to {v}.",
        "{boss} sits on {v}.",
        "The meetings with {boss} are in the office on {v}.",
        "I walked up and down to {boss}'s office again, it is on {v}.",
    ],
    notes: &[
        "Office of {boss}: {v}.",
        "Directory: {boss}, {v}.",
        "{boss}, who leads the user's department, has a room on {v}.",
    ],
    changes: &[
        "{boss} moved from {o} to {v} yesterday.",
        "After the renovation {boss} now sits on {v} and not on {o}.",
        "I sent you to the wrong place: {boss} is on {v}, I said {o}.",
    ],
    denies: &[
        "{boss} has never had an office on {o}.",
        "{boss} does not sit on {o}.",
        "{boss} works from home and has no office.",
        "All these years {boss} has been on {v}, not on {o}.",
    ],
    disputes: &[
        "{boss} has no room on {o}.",
        "{boss} has kept the same office on {v} since joining.",
        "No office in the building is assigned to {boss}.",
        "There was never a time when {boss} sat on {o}.",
    ],
};
