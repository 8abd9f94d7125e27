"""What the demonstration tells: people, models, and what happened to their versions. Data alone; `demo` acts it out."""

from dataclasses import dataclass, field

from registry_site.accounts.levels import Level
from registry_site.registry.stages import Stage


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a team; with a level, on all models."""

    username: str
    display_name: str
    team: str
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric: about what the first version reached, and the last."""

    key: str
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Step:
    """After a version was made, somebody did: `move`, `ask`, or `approve`, `reject`, `cancel` of the newest request."""

    after: int
    person: str
    verb: str
    version: int = 0
    stage: Stage = Stage.NONE
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A model: who makes it of what, how good it became, and what happened to its versions."""

    name: str
    owner: str
    flavor: str
    task: str
    summary: str
    use: str
    limits: str
    measures: tuple[Measure, ...]
    inputs: tuple[tuple[str, str], ...]
    output: str
    dataset: str
    versions: int
    trials: int
    steps: tuple[Step, ...]
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    images: bool = False
    as_logged_model: bool = False


MARIA, KOFI = "maria.lopez", "kofi.mensah"
ANA, TOMAS = "ana.souza", "tomas.novak"
LI, FATIMA = "li.wei", "fatima.haddad"
OLEG, GRACE = "oleg.petrov", "grace.kim"
JON, CI = "jon.weber", "ci-training"

PEOPLE = (
    Person(MARIA, "Maria López", "growth"),
    Person(KOFI, "Kofi Mensah", "growth"),
    Person(ANA, "Ana Souza", "risk"),
    Person(TOMAS, "Tomáš Novák", "risk", Level.CAN_MANAGE_STAGING_VERSIONS),
    Person(LI, "Li Wei", "logistics"),
    Person(FATIMA, "Fatima Haddad", "logistics"),
    Person(OLEG, "Oleg Petrov", "vision"),
    Person(GRACE, "Grace Kim", "support"),
    Person(JON, "Jon Weber", "platform", Level.CAN_MANAGE_PRODUCTION_VERSIONS),
    Person(CI, "Training pipeline", "platform", Level.CAN_EDIT),
)

STAGING, PRODUCTION, ARCHIVED = Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED
AUC, F1, LOSS = "auc", "f1", "val_loss"

STORIES = (
    Story(
        name="churn-predictor",
        owner=MARIA,
        flavor="sklearn",
        task="classification",
        summary="Says which subscribers are likely to leave within 30 days.",
        use="Scored every night; the retention team calls the top 2 %.",
        limits="Customers younger than 60 days have too little history: their scores are shown, not acted on.",
        measures=(Measure(AUC, 0.812, 0.871), Measure(F1, 0.61, 0.69), Measure(LOSS, 0.412, 0.318)),
        inputs=(("tenure_months", "long"), ("monthly_charges", "double"), ("contract", "string"), ("tickets", "long")),
        output="double",
        dataset="subscribers-2026-q3",
        versions=5,
        trials=3,
        steps=(
            Step(1, MARIA, "move", 1, STAGING, "First candidate."),
            Step(1, MARIA, "ask", 1, PRODUCTION, "Beats the rule of thumb by 9 points of AUC on the holdout."),
            Step(1, JON, "approve", comment="Good to go. Please add calibration plots next time."),
            Step(2, MARIA, "ask", 2, PRODUCTION, "Contract type added as a feature."),
            Step(2, JON, "reject", comment="AUC is better, but calibration got worse above a score of 0.8."),
            Step(3, MARIA, "move", 3, STAGING),
            Step(3, MARIA, "ask", 3, PRODUCTION, "Isotonic calibration; Brier score down from 0.131 to 0.117."),
            Step(3, JON, "approve", comment="Thanks for the calibration. Shadow traffic looked clean for a week."),
            Step(4, KOFI, "ask", 4, STAGING, "Trained on Q3; same code."),
            Step(4, MARIA, "approve", comment="Fine for Staging."),
            Step(5, KOFI, "ask", 5, PRODUCTION, "Support tickets as a feature: AUC 0.87, better on new customers."),
        ),
        tags={"domain": "retention", "pii": "pseudonymised", "sla": "nightly"},
        aliases={"champion": 3, "challenger": 5},
    ),
    Story(
        name="credit-default-scorer",
        owner=ANA,
        flavor="xgboost",
        task="classification",
        summary="Probability that a consumer loan defaults within twelve months.",
        use="One of the inputs of the credit decision; never the only one.",
        limits="Not for loans above 75,000. Reviewed by model risk each quarter.",
        measures=(Measure(AUC, 0.774, 0.806), Measure("ks", 0.41, 0.47), Measure(LOSS, 0.291, 0.262)),
        inputs=(("income", "double"), ("loan_amount", "double"), ("employment_years", "double"), ("region", "string")),
        output="double",
        dataset="loans-2023-2025",
        versions=4,
        trials=2,
        steps=(
            Step(1, ANA, "ask", 1, PRODUCTION, "Approved by model risk on paper; report attached."),
            Step(1, JON, "approve", comment="Report read. Go."),
            Step(2, TOMAS, "move", 2, STAGING, "For the fairness review."),
            Step(2, TOMAS, "move", 2, ARCHIVED, "Fairness review failed for one region."),
            Step(3, ANA, "ask", 3, PRODUCTION, "Monotone constraints on income and amount."),
            Step(3, JON, "approve", comment="Constraints make the reason codes explainable at last."),
            Step(4, ANA, "move", 4, STAGING),
            Step(4, ANA, "ask", 4, PRODUCTION, "Quarterly refresh. KS up by a point; fairness report in reports/."),
        ),
        tags={"domain": "credit", "regulated": "yes", "review": "quarterly"},
        aliases={"champion": 3},
        as_logged_model=True,
    ),
    Story(
        name="fraud-detector",
        owner=TOMAS,
        flavor="lightgbm",
        task="classification",
        summary="Flags card payments that look stolen, within 40 ms.",
        use="Called for each payment; above 0.92 the payment waits for a second factor.",
        limits="Corporate cards behave differently and have rules of their own.",
        measures=(Measure("recall_at_1pct", 0.58, 0.71), Measure(AUC, 0.931, 0.957), Measure(LOSS, 0.061, 0.048)),
        inputs=(("amount", "double"), ("merchant", "string"), ("hour", "long"), ("country", "string")),
        output="double",
        dataset="payments-rolling-90d",
        versions=5,
        trials=2,
        steps=(
            Step(1, TOMAS, "move", 1, STAGING),
            Step(2, TOMAS, "ask", 2, PRODUCTION, "Recall 0.62 at one percent of false alarms."),
            Step(2, JON, "approve", comment="Go, with the kill switch on."),
            Step(3, ANA, "ask", 3, PRODUCTION, "Velocity features."),
            Step(3, ANA, "cancel", comment="Found a leak: velocity counted the payment itself."),
            Step(4, ANA, "ask", 4, PRODUCTION, "Velocity features without the leak."),
            Step(4, JON, "approve", comment="Checked the feature code. Nice catch on the leak."),
            Step(5, CI, "ask", 5, STAGING, "Weekly retraining."),
        ),
        tags={"domain": "payments", "latency_ms": "40", "sla": "online"},
        aliases={"champion": 4, "shadow": 5},
        as_logged_model=True,
    ),
    Story(
        name="demand-forecast",
        owner=LI,
        flavor="prophet",
        task="forecast",
        summary="Units sold per article and warehouse, four weeks ahead.",
        use="Orders are placed from it every Monday.",
        limits="New articles are forecast from their category; wide intervals are meant.",
        measures=(Measure("mape", 18.4, 13.2), Measure("rmse", 42.0, 31.5), Measure("coverage_90", 0.84, 0.91)),
        inputs=(("ds", "datetime"), ("article", "string"), ("promotion", "boolean")),
        output="double",
        dataset="sales-daily",
        versions=4,
        trials=2,
        steps=(
            Step(1, LI, "ask", 1, PRODUCTION, "Replaces the spreadsheet."),
            Step(1, JON, "approve", comment="Long live the spreadsheet."),
            Step(2, LI, "move", 2, STAGING),
            Step(3, FATIMA, "ask", 3, PRODUCTION, "Promotions as a regressor: MAPE under 15."),
            Step(3, JON, "approve", comment="Back-test covers Black Friday. Good."),
            Step(4, FATIMA, "ask", 4, PRODUCTION, "Holiday calendar of all six countries."),
            Step(4, JON, "reject", comment="Coverage of the 90 % interval fell in two countries; please look first."),
        ),
        tags={"domain": "supply", "horizon": "28d"},
        aliases={"champion": 3},
    ),
    Story(
        name="delivery-eta",
        owner=FATIMA,
        flavor="lightgbm",
        task="regression",
        summary="Minutes until a parcel is handed over, updated along the tour.",
        use="Shown to customers as a window of 30 minutes.",
        limits="Snow days are out of its experience.",
        measures=(Measure("mae_minutes", 14.8, 9.6), Measure("within_window", 0.81, 0.9), Measure(LOSS, 5.2, 3.7)),
        inputs=(("stops_left", "long"), ("distance_km", "double"), ("weather", "string"), ("driver_pace", "double")),
        output="double",
        dataset="tours-2026",
        versions=3,
        trials=2,
        steps=(
            Step(1, FATIMA, "move", 1, STAGING),
            Step(2, FATIMA, "ask", 2, PRODUCTION, "Under 11 minutes of error in all cities."),
            Step(2, JON, "approve", comment="Go."),
            Step(3, FATIMA, "move", 3, STAGING, "Driver pace as a feature."),
        ),
        tags={"domain": "delivery", "sla": "online"},
        aliases={"champion": 2},
    ),
    Story(
        name="product-recommender",
        owner=KOFI,
        flavor="pytorch",
        task="ranking",
        summary="Ten articles for the start page, from what a visitor looked at.",
        use="Start page and newsletter.",
        limits="Returns bestsellers for visitors without history.",
        measures=(Measure("ndcg_10", 0.312, 0.364), Measure("hit_rate_10", 0.41, 0.48), Measure(LOSS, 0.92, 0.71)),
        inputs=(("viewed", "string"), ("device", "string"), ("country", "string")),
        output="string",
        dataset="clicks-2026-09",
        versions=3,
        trials=2,
        steps=(
            Step(1, KOFI, "ask", 1, PRODUCTION, "Two-tower model; A/B test won by 3.1 % of clicks."),
            Step(1, JON, "approve", comment="A/B report is convincing."),
            Step(2, KOFI, "move", 2, STAGING),
            Step(3, KOFI, "move", 3, STAGING, "Longer sequences."),
        ),
        tags={"domain": "shop", "ab_test": "AB-311"},
        aliases={"champion": 1},
        as_logged_model=True,
    ),
    Story(
        name="support-ticket-router",
        owner=GRACE,
        flavor="transformers",
        task="classification",
        summary="Sends a ticket to one of eleven queues, in nine languages.",
        use="Every incoming ticket; under 0.5 a person routes it.",
        limits="Mixed-language tickets are its weak spot.",
        measures=(Measure("accuracy", 0.83, 0.894), Measure(F1, 0.79, 0.868), Measure(LOSS, 0.58, 0.37)),
        inputs=(("subject", "string"), ("body", "string"), ("language", "string")),
        output="string",
        dataset="tickets-labelled",
        versions=3,
        trials=2,
        steps=(
            Step(1, GRACE, "ask", 1, PRODUCTION, "Routes 71 % without a person."),
            Step(1, JON, "approve", comment="Queue leads agree."),
            Step(3, GRACE, "ask", 3, PRODUCTION, "Distilled: half the memory, accuracy 0.894."),
        ),
        tags={"domain": "support", "languages": "9"},
        aliases={"champion": 1, "challenger": 3},
    ),
    Story(
        name="invoice-reader",
        owner=OLEG,
        flavor="pytorch",
        task="extraction",
        summary="Reads supplier, number, date and total from scanned invoices.",
        use="Pre-fills the form in accounting.",
        limits="Handwriting is not read.",
        measures=(Measure("field_accuracy", 0.9, 0.953), Measure("pages_per_s", 3.1, 5.4), Measure(LOSS, 0.31, 0.19)),
        inputs=(("page", "binary"),),
        output="string",
        dataset="invoices-anonymised",
        versions=3,
        trials=1,
        steps=(
            Step(1, OLEG, "move", 1, STAGING),
            Step(2, OLEG, "ask", 2, PRODUCTION, "Accounting tested 400 pages."),
            Step(2, JON, "approve", comment="Go, accounting signed off."),
        ),
        tags={"domain": "accounting", "pii": "yes"},
        aliases={"champion": 2},
        images=True,
        as_logged_model=True,
    ),
    Story(
        name="defect-detector",
        owner=OLEG,
        flavor="pytorch",
        task="segmentation",
        summary="Marks scratches and dents on photos of the paint line.",
        use="Stops the line above three defects a panel.",
        limits="White panels need the second light to be on.",
        measures=(Measure("iou", 0.68, 0.77), Measure("recall", 0.88, 0.94), Measure(LOSS, 0.44, 0.29)),
        inputs=(("image", "binary"),),
        output="binary",
        dataset="paint-line-12k",
        versions=3,
        trials=1,
        steps=(
            Step(2, OLEG, "move", 2, STAGING, "On the test line since Monday."),
            Step(3, OLEG, "ask", 3, STAGING, "Second light handled."),
        ),
        tags={"domain": "factory", "hardware": "jetson"},
        images=True,
    ),
    Story(
        name="price-elasticity",
        owner=MARIA,
        flavor="statsmodels",
        task="regression",
        summary="How demand answers to a change of price, by category.",
        use="Planning of promotions.",
        limits="A study, not a service: confidence intervals belong to each number.",
        measures=(Measure("r2", 0.61, 0.66), Measure("rmse", 0.24, 0.21)),
        inputs=(("category", "string"), ("log_price", "double")),
        output="double",
        dataset="sales-daily",
        versions=2,
        trials=1,
        steps=(
            Step(1, MARIA, "ask", 1, STAGING, "For the autumn promotions."),
            Step(1, TOMAS, "approve", comment="Fine for planning."),
        ),
        tags={"domain": "pricing", "kind": "study"},
    ),
    Story(
        name="review-sentiment",
        owner=GRACE,
        flavor="transformers",
        task="classification",
        summary="Tone of a product review: negative, neutral, positive.",
        use="Weekly report to category managers.",
        limits="Irony.",
        measures=(Measure("accuracy", 0.86, 0.903), Measure(F1, 0.84, 0.889), Measure(LOSS, 0.41, 0.3)),
        inputs=(("text", "string"),),
        output="string",
        dataset="reviews-50k",
        versions=3,
        trials=2,
        steps=(
            Step(1, GRACE, "ask", 1, PRODUCTION, "First multilingual version."),
            Step(1, JON, "approve", comment="Go."),
            Step(2, GRACE, "move", 2, ARCHIVED, "Learned the shop's own answers by heart."),
        ),
        tags={"domain": "reviews", "languages": "6"},
        aliases={"champion": 1},
    ),
    Story(
        name="energy-load-forecast",
        owner=LI,
        flavor="sklearn",
        task="forecast",
        summary="Power that the warehouses draw, per quarter of an hour, a day ahead.",
        use="Buys power at the day-ahead market.",
        limits="Retrain after every new cold store.",
        measures=(Measure("mape", 7.9, 5.1), Measure("peak_error_kw", 61.0, 38.0)),
        inputs=(("hour", "long"), ("temperature", "double"), ("is_holiday", "boolean")),
        output="double",
        dataset="meters-15min",
        versions=2,
        trials=0,
        steps=(Step(2, LI, "ask", 2, STAGING, "Weather of the nearest station instead of the city."),),
        tags={"domain": "energy", "horizon": "24h"},
    ),
)
