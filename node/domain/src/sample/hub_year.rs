//! A hub's year.

use crate::sample::board::StrategicGroup;
use crate::sample::catalogue::{self, ListedProject};
use crate::sample::chance::Chance;
use crate::sample::commission::Commission;
use crate::sample::group::{Group, Member};
use crate::sample::group_year;
use crate::sample::hub_profile::HubProfile;
use crate::sample::names::Names;
use crate::sample::nation::area_schools;
use crate::sample::options::{SampleOptions, Scale};
use crate::sample::partner::Partner;
use crate::sample::person::{Leader, Person};
use crate::sample::plan::Plan;
use crate::sample::practice::Practice;
use crate::sample::record::SampleRecord;
use crate::sample::returns::{ReturnWanted, wanted};
use crate::sample::school::School;
use crate::sample::school_year::SchoolYear;
use crate::sample::template::{Shape, TEMPLATES, Template};
use crate::sample::untidy;

/// How many schools of an area no group ever asks, in a hundred.
const NEVER_ASKED: usize = 40;

/// A hub's year of made-up work: plain facts, from which records and figures both follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubYear {
    /// What it was made from.
    pub options: SampleOptions,
    /// The days.
    pub school_year: SchoolYear,
    /// The day on which the sample is told: nothing later is known.
    pub told_on: time::Date,
    /// The schools of its area, then those of a vacant area that it covers.
    pub schools: Vec<School>,
    /// How many of the schools are of its own area.
    pub own_schools: usize,
    /// All people: leaders first, then the strategic group, then participants.
    pub people: Vec<Person>,
    /// The leaders.
    pub leaders: Vec<Leader>,
    /// The partners.
    pub partners: Vec<Partner>,
    /// The strategic leadership group.
    pub strategic_group: StrategicGroup,
    /// The plan.
    pub plan: Plan,
    /// The commissions with their ledgers.
    pub commissions: Vec<Commission>,
    /// The work groups.
    pub groups: Vec<Group>,
    /// The returns that the programme wants, and what becomes of them.
    pub returns: Vec<ReturnWanted>,
    /// The practices.
    pub practices: Vec<Practice>,
    /// What the hub says of itself.
    pub profile: HubProfile,
}

impl HubYear {
    /// Makes a year up. The same options give the same year everywhere.
    pub fn generate(options: &SampleOptions) -> Self {
        let school_year = SchoolYear::new(options.year);
        let (schools, own_schools) = area_schools(options);
        let mut chance = Chance::new(options.seed, &format!("people of {}", options.hub_code));
        let mut people = People::new(options, &schools, &mut chance);
        let leaders = people.leaders(options);
        let strategic_group = StrategicGroup::generate(school_year, &mut people);
        let groups = groups(
            options,
            school_year,
            own_schools,
            &mut people,
            leaders.len(),
        );
        let people = people.made;
        let partners = Partner::generate(options, &schools);
        let plan = Plan::generate(options, &strategic_group);
        let commissions = Commission::generate(options, school_year, &partners, &groups, &plan);
        Self {
            school_year,
            told_on: group_year::now(school_year),
            schools,
            own_schools,
            people,
            leaders,
            partners,
            strategic_group,
            plan,
            commissions,
            returns: wanted(options),
            practices: Practice::generate(&groups),
            groups,
            profile: HubProfile::generate(options),
            options: options.clone(),
        }
    }

    /// Its records, each after those to which it refers. The schools of the register are not
    /// among them: they are the nation's. Nor are returns, which the program computes.
    pub fn records(&self) -> Vec<SampleRecord> {
        let mut records = vec![self.profile.record()];
        records.extend(self.people.iter().map(Person::record));
        let person = |at: usize| self.people.get(at).map_or("", |person| person.key.as_str());
        records.extend(
            self.leaders
                .iter()
                .flat_map(|it| it.records(person(it.person))),
        );
        records.extend(self.partners.iter().flat_map(Partner::records));
        records.push(self.strategic_group.record(self));
        records.push(self.plan.record(self));
        records.extend(self.groups.iter().map(|group| group.record(self)));
        records.extend(self.commissions.iter().map(|it| it.record(self)));
        records.extend(self.practices.iter().map(|it| it.record(self)));
        records
    }
}

/// The people who are made up one after the other.
pub(crate) struct People<'a> {
    pub(crate) made: Vec<Person>,
    schools: &'a [School],
    names: Names,
    chance: &'a mut Chance,
    seen: time::Date,
}

impl<'a> People<'a> {
    fn new(options: &SampleOptions, schools: &'a [School], chance: &'a mut Chance) -> Self {
        let names = Names::new(chance);
        Self {
            made: Vec::new(),
            schools,
            names,
            chance,
            seen: SchoolYear::new(options.year).day(0, 2),
        }
    }

    /// A new person at an organisation, by the place.
    pub(crate) fn add(&mut self, organisation: Option<(String, Option<String>)>) -> usize {
        let at = self.made.len();
        let person = Person::new(at, self.chance, &mut self.names, organisation, self.seen);
        self.made.push(person);
        at
    }

    /// A new person at a school, written as somebody typed it.
    fn add_at(&mut self, organisation: &str, urn: Option<String>) -> usize {
        self.add(Some((organisation.to_owned(), urn)))
    }

    /// A second card of a person.
    fn again(&mut self, of: usize) -> usize {
        let at = self.made.len();
        let Some(first) = self.made.get(of) else {
            return of;
        };
        let truly = first.same_as.unwrap_or(of);
        let second = first.again(at, truly, self.chance);
        self.made.push(second);
        at
    }

    fn leaders(&mut self, options: &SampleOptions) -> Vec<Leader> {
        let count = options.scaled(36, 6);
        let leaders = (0..count).map(|number| {
            let school = self.schools.get(self.chance.below(self.schools.len()));
            let base = school.map(|school| (school.name.clone(), Some(school.urn.clone())));
            let at = self.add(base);
            let Self { made, chance, .. } = self;
            Leader::new(number, at, &made[at], chance, options)
        });
        leaders.collect()
    }
}

/// The kinds of group of a small year: every priority and every shape.
const SMALL: [usize; 9] = [0, 1, 2, 4, 8, 9, 12, 15, 18];

/// How often each kind of group stands among so many groups, and in which order.
fn templates(options: &SampleOptions, chance: &mut Chance) -> Vec<Template> {
    let mut all = match options.scale {
        Scale::Full => TEMPLATES
            .iter()
            .flat_map(|template| std::iter::repeat_n(*template, template.count))
            .collect::<Vec<_>>(),
        Scale::Small => SMALL.map(|at| TEMPLATES[at]).to_vec(),
    };
    chance.shuffle(&mut all);
    all
}

/// Where groups stand when the sample is told.
fn state(number: usize, scale: Scale) -> &'static str {
    let every = match scale {
        Scale::Full => number,
        Scale::Small => number * 10 + number % 2,
    };
    match every {
        11 | 50 | 60 => "recruiting",
        31 | 70 => "planned",
        21 | 71 => "cancelled",
        _ if number % 7 == 4 => "running",
        _ => "completed",
    }
}

fn groups(
    options: &SampleOptions,
    school_year: SchoolYear,
    own: usize,
    people: &mut People<'_>,
    leaders: usize,
) -> Vec<Group> {
    let mut chance = Chance::new(options.seed, &format!("groups of {}", options.hub_code));
    let projects = catalogue::projects();
    let mut asked = chance.order(own);
    asked.truncate(own * (100 - NEVER_ASKED) / 100);
    // Of a vacant area every school may come.
    asked.extend(own..people.schools.len());
    let templates = templates(options, &mut chance);
    let mut groups = Vec::new();
    for (number, template) in templates.into_iter().enumerate() {
        let state = state(number, options.scale);
        let mut group = blank(&mut chance, options, &projects, number, template, state);
        group.leaders = leading(&mut chance, leaders);
        let schools = coming(&mut chance, template, &asked, people.schools);
        let host = schools.first().and_then(|(at, _)| people.schools.get(*at));
        let venue = host.map_or("to be found", |school| school.name.as_str());
        group.sessions = group_year::sessions(&mut chance, school_year, (number, state), venue);
        group.members = members(&mut chance, people, &schools);
        if chance.falls(25) {
            group.places = Some(group.members.len().saturating_sub(chance.below(4)).max(1));
        }
        group.statuses = group_year::statuses(&mut chance, &group, group_year::now(school_year));
        group.attendance = group_year::attendance(&mut chance, &group);
        group.ratings = group_year::ratings(&mut chance, &group);
        talk(&mut chance, people, &mut group);
        groups.push(group);
    }
    groups
}

fn blank(
    chance: &mut Chance,
    options: &SampleOptions,
    projects: &[ListedProject],
    number: usize,
    template: Template,
    state: &'static str,
) -> Group {
    let project = projects
        .iter()
        .find(|it| template.national && it.title == template.title);
    let short = options.year.replace('-', "");
    let code = format!("{}-{:03}", short.get(2..).unwrap_or_default(), number + 1);
    let town = chance.pick(&[
        "North", "South", "East", "West", "Central", "Valley", "Coast",
    ]);
    Group {
        key: format!("group-{}", number + 1),
        code,
        title: format!("{}, {town} group {}", template.title, number + 1),
        kind: template.kind,
        phase: template.phase,
        priority: template.priority,
        plan_item: template.title,
        project: project
            .map(|it| it.code.clone())
            .filter(|code| !code.is_empty()),
        versions: project.map(|_| (chance.between(1, 3), chance.between(1, 2))),
        adaptations: chance
            .falls(15)
            .then_some("Sessions are half as long, and there are twice as many."),
        state,
        places: None,
        leaders: Vec::new(),
        sessions: Vec::new(),
        members: Vec::new(),
        statuses: Vec::new(),
        attendance: Vec::new(),
        ratings: Vec::new(),
        enquiries: chance.between(0, 12),
        narrative: group_year::narrative(chance, state),
        evidence: group_year::evidence(chance, state),
        notes: None,
        reflections: Vec::new(),
    }
}

/// What is written by the way, in which people are named.
fn talk(chance: &mut Chance, people: &People<'_>, group: &mut Group) {
    let named = |at: Option<usize>| at.and_then(|at| people.made.get(at));
    let lead = group.leaders.first().map(|(at, _)| *at);
    if let (true, Some(lead)) = (chance.falls(20), named(lead)) {
        group.notes = Some(format!("Ask {} about the venue.", lead.name));
    }
    let writers = group.members.iter().filter_map(|member| member.person);
    let writers = writers.take(if group.state == "completed" {
        chance.below(3)
    } else {
        0
    });
    for writer in writers.collect::<Vec<_>>() {
        let text = match named(lead).filter(|_| chance.falls(40)) {
            Some(lead) => format!("{} asked us why, and then I asked my class.", lead.name),
            None => "I talk less now, and listen to what they mean.".to_owned(),
        };
        group.reflections.push((writer, text));
    }
}

/// One leader or two.
fn leading(chance: &mut Chance, leaders: usize) -> Vec<(usize, &'static str)> {
    let first = chance.below(leaders);
    let second = (first + 1 + chance.below(leaders.saturating_sub(1))) % leaders.max(1);
    let role = chance.pick(&["co-lead", "co-lead", "emerging"]);
    if chance.falls(70) && second != first {
        vec![(first, "lead"), (second, role)]
    } else {
        vec![(first, "lead")]
    }
}

/// The schools of a group and how many come from each.
fn coming(
    chance: &mut Chance,
    template: Template,
    asked: &[usize],
    schools: &[School],
) -> Vec<(usize, usize)> {
    let of_phase = |phase: &str| {
        let right = |at: &&usize| {
            schools.get(**at).is_some_and(|school| {
                let near = phase == "early years" && school.phase == "primary"
                    || phase == "post-16" && school.phase == "secondary";
                school.phase == phase || near
            })
        };
        asked.iter().filter(right).copied().collect::<Vec<_>>()
    };
    let mut draw = |phase: &str, count: usize| {
        let mut of_phase = of_phase(phase);
        chance.shuffle(&mut of_phase);
        of_phase.truncate(count);
        (of_phase, chance.below(100))
    };
    let each = |(schools, luck): (Vec<usize>, usize), people: usize| {
        schools
            .into_iter()
            .enumerate()
            .map(move |(number, at)| (at, people + usize::from((luck + number).is_multiple_of(9))))
            .collect::<Vec<_>>()
    };
    match template.shape {
        Shape::Schools(people) => {
            let count = 6 + draw("primary", 0).1 % 2;
            each(draw(template.phase, count), people)
        }
        Shape::Departments => {
            let people = 8 + draw("secondary", 0).1 % 4;
            each(draw("secondary", 2), people)
        }
        Shape::Across => {
            let mut both = each(draw("secondary", 2), 4);
            both.extend(each(draw("primary", 5), 2));
            both
        }
        Shape::Many => {
            let count = 15 + draw("primary", 0).1 % 6;
            let drawn = draw(template.phase, count);
            let people = count.div_ceil(drawn.0.len().max(1));
            each(drawn, people)
        }
    }
}

fn members(
    chance: &mut Chance,
    people: &mut People<'_>,
    schools: &[(usize, usize)],
) -> Vec<Member> {
    let mut members = Vec::new();
    for (at, count) in schools {
        let Some(school) = people.schools.get(*at) else {
            continue;
        };
        let (organisation, urn) = match chance.below(100) {
            0..70 => (school.name.clone(), Some(school.urn.clone())),
            70..84 => (
                untidy::school_name(chance, &school.name),
                Some(school.urn.clone()),
            ),
            _ => (untidy::school_name(chance, &school.name), None),
        };
        for _ in 0..*count {
            let person = person(chance, people, &organisation, urn.as_ref());
            members.push(Member {
                id: format!("m{}", members.len() + 1),
                organisation: organisation.trim_end().to_owned(),
                urn: urn.clone(),
                school: Some(*at),
                person,
                role: chance
                    .falls(30)
                    .then(|| chance.pick(&["participant", "lead participant", "head of maths"])),
            });
        }
    }
    if chance.falls(12) {
        // Somebody who belongs to no school of the register.
        let organisation = chance.pick(&["Sampleshire County Council", "Mock University", "self"]);
        let person = Some(people.add_at(organisation, None));
        members.push(Member {
            id: format!("m{}", members.len() + 1),
            organisation: organisation.to_owned(),
            urn: None,
            school: None,
            person,
            role: None,
        });
    }
    members
}

/// Mostly somebody new; sometimes one who is in another group too, or a second card of one.
fn person(
    chance: &mut Chance,
    people: &mut People<'_>,
    organisation: &str,
    urn: Option<&String>,
) -> Option<usize> {
    let luck = chance.below(100);
    if luck == 0 {
        return None;
    }
    let here = |person: &Person| urn.is_some() && person.urn.as_ref() == urn;
    let known = people.made.iter().position(here).filter(|_| luck < 5);
    match known {
        Some(at) if luck < 3 => Some(people.again(at)),
        Some(at) => Some(at),
        None => Some(people.add_at(organisation, urn.cloned())),
    }
}
