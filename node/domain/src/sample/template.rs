//! What work groups of the sample are about: the mission's five priorities on real projects.

/// The national priorities, each with its reason.
pub(crate) const PRIORITIES: [(&str, &str, &str); 5] = [
    (
        PEDAGOGY,
        "Pupils learn more where lessons build understanding in small, connected steps.",
        "all",
    ),
    (
        CURRICULUM,
        "New qualifications and a changed curriculum need schools to plan together.",
        "secondary",
    ),
    (
        NEW_LEADERS,
        "Many who lead maths in their school began to do so in the last two years.",
        "all",
    ),
    (
        NON_SPECIALISTS,
        "Many who teach maths trained in another subject and want to know it better.",
        "secondary",
    ),
    (
        POST_16,
        "Too few young people go on with maths after 16, girls above all.",
        "post-16",
    ),
];

const PEDAGOGY: &str = "Pedagogy";
const CURRICULUM: &str = "Curriculum and qualification change";
const NEW_LEADERS: &str = "New subject leaders";
const NON_SPECIALISTS: &str = "Subject knowledge of non-specialists";
const POST_16: &str = "Post-16 participation";

/// Who comes to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Six or seven schools of the phase with so many people each.
    Schools(usize),
    /// Two departments.
    Departments,
    /// A few secondary schools and the primary schools near them.
    Across,
    /// One or two people from each of many schools.
    Many,
}

/// A kind of group, and how many of it there are among ninety.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    /// The title in the national catalogue, or a local one.
    pub(crate) title: &'static str,
    pub(crate) national: bool,
    pub(crate) priority: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) phase: &'static str,
    pub(crate) shape: Shape,
    pub(crate) count: usize,
}

const fn national(
    title: &'static str,
    priority: &'static str,
    kind: &'static str,
    phase: &'static str,
    shape: Shape,
    count: usize,
) -> Template {
    Template {
        title,
        national: true,
        priority,
        kind,
        phase,
        shape,
        count,
    }
}

const fn local(
    title: &'static str,
    priority: &'static str,
    phase: &'static str,
    count: usize,
) -> Template {
    Template {
        national: false,
        ..national(
            title,
            priority,
            "leadership development",
            phase,
            Shape::Many,
            count,
        )
    }
}

/// All kinds of group.
pub(crate) const TEMPLATES: [Template; 21] = [
    national(
        "Primary Teaching for Mastery: Development",
        PEDAGOGY,
        "development",
        "primary",
        Shape::Schools(2),
        15,
    ),
    national(
        "Primary Teaching for Mastery: Sustaining",
        PEDAGOGY,
        "sustaining",
        "primary",
        Shape::Schools(2),
        12,
    ),
    national(
        "Mastering Number",
        PEDAGOGY,
        "embedding",
        "early years",
        Shape::Schools(3),
        9,
    ),
    national(
        "Mastery Readiness",
        PEDAGOGY,
        "readiness",
        "primary",
        Shape::Schools(2),
        6,
    ),
    national(
        "Secondary Teaching for Mastery: Sustaining, focus A",
        PEDAGOGY,
        "sustaining",
        "secondary",
        Shape::Departments,
        4,
    ),
    national(
        "Secondary Teaching for Mastery: Sustaining, focus B",
        PEDAGOGY,
        "sustaining",
        "secondary",
        Shape::Departments,
        4,
    ),
    national(
        "Secondary Teaching for Mastery: Sustaining, focus C",
        PEDAGOGY,
        "sustaining",
        "secondary",
        Shape::Departments,
        3,
    ),
    national(
        "Secondary Teaching for Mastery: Sustaining, focus D",
        PEDAGOGY,
        "sustaining",
        "secondary",
        Shape::Departments,
        2,
    ),
    national(
        "Years 7-11 Coherence (formerly Challenging Topics at GCSE)",
        CURRICULUM,
        "research and innovation",
        "secondary",
        Shape::Departments,
        5,
    ),
    national(
        "Years 5-8 Continuity",
        CURRICULUM,
        "research and innovation",
        "all",
        Shape::Across,
        4,
    ),
    national(
        "Joined-up approaches for teachers of maths and science",
        CURRICULUM,
        "research and innovation",
        "secondary",
        Shape::Departments,
        2,
    ),
    national(
        "Cross-phase: supporting low attainers to a Level 2 qualification",
        CURRICULUM,
        "development",
        "all",
        Shape::Across,
        3,
    ),
    national(
        "Specialist knowledge for teaching mathematics: secondary non-specialist teachers",
        NON_SPECIALISTS,
        "subject knowledge",
        "secondary",
        Shape::Many,
        4,
    ),
    national(
        "Early Years specialist knowledge for teaching mathematics",
        NON_SPECIALISTS,
        "subject knowledge",
        "early years",
        Shape::Many,
        3,
    ),
    national(
        "Primary specialist knowledge for teaching mathematics (forerunner)",
        NON_SPECIALISTS,
        "subject knowledge",
        "primary",
        Shape::Many,
        2,
    ),
    national(
        "Supporting Core Maths",
        POST_16,
        "post-16 participation",
        "post-16",
        Shape::Many,
        4,
    ),
    national(
        "Post-16 participation",
        POST_16,
        "post-16 participation",
        "post-16",
        Shape::Many,
        2,
    ),
    national(
        "Mathematical reasoning",
        PEDAGOGY,
        "community",
        "secondary",
        Shape::Many,
        1,
    ),
    local("New heads of maths", NEW_LEADERS, "secondary", 2),
    local("New primary maths leads", NEW_LEADERS, "primary", 2),
    local(
        "Second in department, ready to lead",
        NEW_LEADERS,
        "secondary",
        1,
    ),
];
