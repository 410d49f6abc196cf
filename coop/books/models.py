"""What must always hold of the books and of what they tell: each rule a query over the rows that must return none.

The numbers are fixed: reports and closed periods name them. Debits are positive, credits negative, so what a household
or maker owns stands negative in the ledger.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from coop.orders.queries import fund_bears
from coop.vat.queries import TAXED


class Invariant(NamedTuple):
    """One rule: its number, what it says in plain words, and the query that returns the rows which break it."""

    id: str
    title: str
    broken: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a rule fared: how many rows break it, and the first of them."""

    id: str
    title: str
    count: int
    rows: list[dict[str, object]]

    @property
    def ok(self) -> bool:
        """Whether the rule holds."""
        return self.count == 0


ROWS_SHOWN: Final = 20
SEALS: Final = "I19"
"""The rule that is half a query and half a computation: hashes are recomputed outside the database."""

CHECKED: Final = "check_books"
"""How the record of acts calls a check; its detail holds what was broken."""

LEDGER: Final = (
    Invariant(
        "I1",
        "Every entry balances and has all its postings",
        """
SELECT coalesce(e.id, p.entry_id) AS entry, e.line_count, p.postings, p.total
  FROM entry e
  FULL JOIN (SELECT entry_id, count(*) AS postings, sum(amount) AS total, min(n) AS lowest, max(n) AS highest
               FROM posting GROUP BY entry_id) p ON p.entry_id = e.id
 WHERE p.postings IS DISTINCT FROM e.line_count OR p.total <> 0 OR p.lowest < 1 OR p.highest > e.line_count
    OR e.line_count < 2
""",
    ),
    Invariant(
        "I2",
        "All accounts together come to nothing",
        """
SELECT a.currency, sum(p.amount) AS total FROM posting p LEFT JOIN account a ON a.id = p.account_id
 GROUP BY a.currency HAVING sum(p.amount) <> 0
""",
    ),
    Invariant(
        "I3",
        "Every posting names an account, and an entry is in one currency",
        """
SELECT p.entry_id AS entry, count(*) - count(a.id) AS unknown_accounts, min(a.currency) AS currency, max(a.currency) AS other
  FROM posting p LEFT JOIN account a ON a.id = p.account_id
 GROUP BY p.entry_id HAVING count(*) <> count(a.id) OR min(a.currency) <> max(a.currency)
""",
    ),
    Invariant(
        "I4",
        "No account that may not be overdrawn is overdrawn",
        """
SELECT a.id AS account, a.code, a.party, s.total
  FROM account a JOIN (SELECT account_id, sum(amount) AS total FROM posting GROUP BY account_id) s ON s.account_id = a.id
 WHERE s.total * a.side < 0
""",
    ),
    Invariant(
        "I5",
        "Every kept balance is the sum of its postings",
        """
SELECT coalesce(a.id, b.account_id) AS account, a.code, a.party, b.amount AS kept, s.total
  FROM account a
  JOIN (SELECT account_id, sum(amount) AS total FROM posting GROUP BY account_id) s ON s.account_id = a.id AND a.side <> 0
  FULL JOIN balance b ON b.account_id = a.id
 WHERE coalesce(b.amount, 0) <> coalesce(s.total, 0) OR b.account_id IS NULL OR b.side IS DISTINCT FROM a.side
""",
    ),
    Invariant(
        "I6",
        "Every reversal is the exact mirror of what it reverses",
        """
SELECT r.id AS entry, r.reverses_id AS reverses, x.account_id AS account, sum(x.amount) AS left_over
  FROM (SELECT id, reverses_id FROM entry WHERE reverses_id IS NOT NULL OR kind = 'reversal') r
  CROSS JOIN LATERAL (SELECT account_id, amount FROM posting WHERE entry_id = r.id
                      UNION ALL SELECT account_id, amount FROM posting WHERE entry_id = r.reverses_id) x
 GROUP BY r.id, r.reverses_id, x.account_id HAVING sum(x.amount) <> 0
""",
    ),
    Invariant(
        "I12",
        "Nothing was booked in a month after it was closed",
        """
SELECT e.id AS entry, e.posted_at, p.closed_at FROM entry e JOIN period p ON p.id = e.period_id WHERE e.posted_at > p.closed_at
""",
    ),
    Invariant(
        "I13",
        "Every entry lies in the month of its date",
        """
SELECT e.id AS entry, e.business_date, p.starts, p.ends FROM entry e LEFT JOIN period p ON p.id = e.period_id
 WHERE p.id IS NULL OR e.business_date NOT BETWEEN p.starts AND p.ends
""",
    ),
)

SHARING_OUT: Final = (
    Invariant(
        "I7",
        "No batch is shared out beyond what was released",
        """
SELECT s.run_id AS run, b.id AS batch, b.lot_number, s.pieces AS awarded, coalesce(r.pieces, 0) AS released
  FROM (SELECT a.run_id, a.offering_id, sum(a.pieces) AS pieces FROM award a JOIN allocation_run u ON u.id = a.run_id
         WHERE u.state IN ('proposed', 'publishing', 'published') GROUP BY a.run_id, a.offering_id) s
  JOIN offering o ON o.id = s.offering_id
  JOIN batch b ON b.id = o.batch_id
  LEFT JOIN (SELECT DISTINCT ON (batch_id) batch_id, pieces FROM release ORDER BY batch_id, version DESC) r ON r.batch_id = b.id
 WHERE s.pieces > coalesce(r.pieces, 0)
""",
    ),
    Invariant(
        "I8",
        "Every wish of a published pool is decided once, and never beyond what was asked",
        """
SELECT coalesce(l.id, a.line_id) AS line, a.run_id AS run, l.up_to, a.pieces AS awarded, a.extra
  FROM (SELECT l.id, l.offering_id, l.up_to, u.id AS run_id FROM allocation_run u
          JOIN household_order o ON o.pool_id = u.pool_id JOIN order_line l ON l.order_id = o.id
         WHERE u.state = 'published' AND l.up_to > 0) l
  FULL JOIN (SELECT a.* FROM award a JOIN allocation_run u ON u.id = a.run_id WHERE u.state = 'published') a
    ON a.run_id = l.run_id AND a.offering_id = l.offering_id AND a.line_id = l.id
 WHERE l.id IS NULL OR a.line_id IS NULL OR a.pieces > l.up_to OR a.extra > a.pieces
""",
    ),
    Invariant(
        "I9",
        "What is held for a wish is what it may still cost",
        """
SELECT coalesce(w.line_id, h.line_id) AS line, coalesce(w.party, h.party) AS party, w.minor AS promised, h.minor AS held
  FROM (SELECT l.id AS line_id, 'household:' || o.household_id AS party,
               CASE WHEN u.id IS NULL THEN coalesce(l.held_minor, l.up_to * (l.unit_minor + l.deposit_minor))
                    ELSE (coalesce(a.pieces, 0) - coalesce(d.pieces, 0)) * (l.unit_minor + l.deposit_minor) END AS minor
          FROM order_line l
          JOIN household_order o ON o.id = l.order_id
          LEFT JOIN allocation_run u ON u.pool_id = o.pool_id AND u.state = 'published'
          LEFT JOIN award a ON a.run_id = u.id AND a.offering_id = l.offering_id AND a.line_id = l.id
          LEFT JOIN (SELECT line_id, sum(pieces) AS pieces FROM hand_over_line GROUP BY line_id) d ON d.line_id = l.id) w
  FULL JOIN (SELECT p.line_id, a.party, -sum(p.amount) AS minor FROM account a JOIN posting p ON p.account_id = a.id
              WHERE a.code = 2020 GROUP BY p.line_id, a.party) h ON h.line_id = w.line_id AND h.party = w.party
 WHERE coalesce(w.minor, 0) <> coalesce(h.minor, 0)
""",
    ),
    Invariant(
        "I14",
        "Deposits held are the deposits of the containers that are out, by household and kind",
        """
WITH went AS (
  SELECT o.household_id, f.container_type_id AS type_id, sum(d.pieces * f.containers_each) AS pieces,
         sum(d.pieces * l.deposit_minor) AS minor
    FROM hand_over_line d JOIN order_line l ON l.id = d.line_id JOIN household_order o ON o.id = l.order_id
    JOIN offering f ON f.id = l.offering_id
   WHERE l.deposit_minor > 0 GROUP BY 1, 2),
gone AS (
  SELECT household_id, type_id, sum(pieces) AS pieces FROM returnable_move GROUP BY 1, 2),
register AS (
  SELECT coalesce(w.household_id, g.household_id) AS household_id, coalesce(w.type_id, g.type_id) AS type_id,
         coalesce(w.pieces, 0) AS went, coalesce(g.pieces, 0) AS gone, w.minor, t.deposit_minor
    FROM went w FULL JOIN gone g ON g.household_id = w.household_id AND g.type_id = w.type_id
    LEFT JOIN container_type t ON t.id = coalesce(w.type_id, g.type_id))
SELECT 'household:' || household_id AS party, type_id AS kind, went, gone, minor AS deposited, went * deposit_minor AS held
  FROM register WHERE gone > went OR coalesce(minor, 0) IS DISTINCT FROM went * deposit_minor
 UNION ALL
SELECT coalesce(r.party, h.party), NULL, NULL, NULL, r.minor, h.minor
  FROM (SELECT 'household:' || household_id AS party, sum((went - gone) * deposit_minor) AS minor FROM register GROUP BY 1) r
  FULL JOIN (SELECT a.party, -sum(p.amount) AS minor FROM account a JOIN posting p ON p.account_id = a.id
              WHERE a.code = 2200 GROUP BY a.party) h ON h.party = r.party
 WHERE coalesce(r.minor, 0) <> coalesce(h.minor, 0)
""",
    ),
    Invariant(
        "I20",
        "Every hand-over has exactly the entry that earns it",
        """
SELECT h.id AS hand_over, e.id AS entry, h.cost AS handed_over, e.released, h.earned, e.credited
  FROM (SELECT d.id, d.entry_id, x.cost, x.earned FROM hand_over d LEFT JOIN (
          SELECT t.hand_over_id, sum(t.pieces * (l.unit_minor + l.deposit_minor)) AS cost, sum(t.net_minor) AS earned
            FROM hand_over_line t JOIN order_line l ON l.id = t.line_id GROUP BY t.hand_over_id) x ON x.hand_over_id = d.id) h
  FULL JOIN (
        SELECT e.id, coalesce(sum(p.amount) FILTER (WHERE a.code = 2020), 0) AS released,
               coalesce(-sum(p.amount) FILTER (WHERE a.code IN (1150, 2100)), 0) AS credited
          FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id
          LEFT JOIN entry m ON m.id = e.reverses_id
         WHERE coalesce(m.kind, e.kind) = 'pickup' GROUP BY e.id) e ON e.id = h.entry_id
 WHERE h.id IS NULL OR h.cost IS NULL OR h.cost <> coalesce(e.released, 0) OR h.earned <> coalesce(e.credited, 0)
    OR (h.entry_id IS NOT NULL AND e.id IS NULL)
""",
    ),
    Invariant(
        "I27",
        "The hardship fund bears of each line its part of what the line comes to, less what came back",
        f"""
SELECT coalesce(w.line_id, f.line_id) AS line, w.minor AS bears, f.minor AS booked
  FROM (SELECT l.id AS line_id, CASE WHEN u.id IS NULL THEN l.fund_held_minor ELSE {fund_bears("coalesce(a.pieces, 0)")} END
               - coalesce(n.fund, 0) AS minor
          FROM order_line l
          JOIN household_order o ON o.id = l.order_id
          LEFT JOIN allocation_run u ON u.pool_id = o.pool_id AND u.state = 'published'
          LEFT JOIN award a ON a.run_id = u.id AND a.offering_id = l.offering_id AND a.line_id = l.id
          LEFT JOIN (SELECT line_id, sum(fund_minor) AS fund FROM credit_note WHERE reversed_id IS NULL GROUP BY line_id) n
            ON n.line_id = l.id
         WHERE l.fund_minor <> 0 OR n.fund <> 0) w
  FULL JOIN (SELECT p.line_id, sum(p.amount) AS minor FROM account a JOIN posting p ON p.account_id = a.id
              WHERE a.code = 2300 AND p.line_id IS NOT NULL GROUP BY p.line_id) f ON f.line_id = w.line_id
 WHERE coalesce(w.minor, 0) <> coalesce(f.minor, 0)
""",  # noqa: S608 - put together from words of ours
    ),
    Invariant(
        "I28",
        "Every credit note and changed fee has exactly the entry that books it",
        """
SELECT n.kind, n.id, n.entry_id AS entry, n.back AS noted, e.back AS booked, n.net AS noted_net, e.net AS booked_net
  FROM (SELECT 'credit_note' AS kind, id, entry_id, gross_minor AS back, net_minor AS net FROM credit_note
         UNION ALL SELECT 'fee_changed', id, entry_id, 0, -net_minor FROM fee_change) n
  FULL JOIN (
        SELECT e.id, e.kind, coalesce(-sum(p.amount) FILTER (WHERE a.code IN (2000, 2300)), 0) AS back,
               coalesce(sum(p.amount) FILTER (WHERE a.code IN (1150, 2100)), 0) AS net
          FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id
         WHERE e.kind IN ('credit_note', 'fee_changed') GROUP BY e.id) e ON e.id = n.entry_id AND e.kind = n.kind
 WHERE n.id IS NULL OR n.back <> coalesce(e.back, 0) OR n.net <> coalesce(e.net, 0) OR (n.entry_id IS NOT NULL AND e.id IS NULL)
""",
    ),
    Invariant(
        "I21",
        "Over a season, rounding gives to some what it takes from others",
        """
SELECT season_id AS season, family, sum(owed_micro) AS owed_micro FROM standing GROUP BY season_id, family HAVING sum(owed_micro) <> 0
""",
    ),
    Invariant(
        "I22",
        "What a household is owed is what the published awards left, and what was recorded beside them",
        """
SELECT coalesce(s.season_id, w.season_id) AS season, coalesce(s.family, w.family) AS family,
       coalesce(s.household_id, w.household_id) AS household, s.owed_micro AS kept, w.owed_micro,
       s.entitled_micro AS kept_entitled, w.entitled_micro
  FROM standing s
  FULL JOIN (SELECT season_id, family, household_id, sum(owed_micro) AS owed_micro, sum(entitled_micro) AS entitled_micro
               FROM (SELECT o.season_id, p.family, h.household_id,
                            a.entitled_micro - 1000000 * (a.pieces + a.declined - a.extra) AS owed_micro,
                            CASE u.memory WHEN 'season' THEN a.entitled_micro ELSE 0 END AS entitled_micro
                       FROM allocation_run u JOIN pool o ON o.id = u.pool_id
                       JOIN award a ON a.run_id = u.id
                       JOIN offering f ON f.id = a.offering_id JOIN product p ON p.id = f.product_id
                       JOIN order_line l ON l.id = a.line_id JOIN household_order h ON h.id = l.order_id
                      WHERE u.state = 'published' AND u.memory <> 'none'
                     UNION ALL
                     SELECT season_id, family, household_id, owed_micro, entitled_micro FROM standing_event) x
              GROUP BY season_id, family, household_id) w
    ON w.season_id = s.season_id AND w.family = s.family AND w.household_id = s.household_id
 WHERE coalesce(s.owed_micro, 0) <> coalesce(w.owed_micro, 0) OR coalesce(s.entitled_micro, 0) <> coalesce(w.entitled_micro, 0)
""",
    ),
    Invariant(
        "I24",
        "Who leaves, merges or splits moves a balance, and makes none",
        """
SELECT season_id AS season, family, CASE kind WHEN 'spread' THEN 'left' ELSE kind END AS kind, sum(owed_micro) AS owed_micro
  FROM standing_event GROUP BY 1, 2, 3 HAVING sum(owed_micro) <> 0
 UNION ALL
SELECT season_id, family, kind, sum(entitled_micro) FROM standing_event
 WHERE kind IN ('merged', 'split') GROUP BY 1, 2, 3 HAVING sum(entitled_micro) <> 0
""",
    ),
    Invariant(
        "I23",
        "Each published result continues the one before, and the season ends with the last",
        """
WITH link AS (
  SELECT o.season_id, u.id AS run_id, u.chain_start, u.result_digest
    FROM allocation_run u JOIN pool o ON o.id = u.pool_id WHERE u.state IN ('published', 'superseded'))
SELECT season_id AS season, run_id AS run, chain_start, 'continues no result of its season' AS fault
  FROM link l
 WHERE l.chain_start IS DISTINCT FROM repeat('0', 64)
   AND NOT EXISTS (SELECT FROM link b WHERE b.season_id = l.season_id AND b.result_digest = l.chain_start AND b.run_id <> l.run_id)
 UNION ALL
SELECT season_id, min(run_id), chain_start, 'two continue the same' FROM link GROUP BY season_id, chain_start HAVING count(*) > 1
 UNION ALL
SELECT coalesce(e.season_id, h.season_id), e.run_id, e.chain_start, 'the season does not end with it'
  FROM (SELECT l.* FROM link l WHERE NOT EXISTS (
          SELECT FROM link n WHERE n.season_id = l.season_id AND n.chain_start = l.result_digest)) e
  FULL JOIN chain_head h ON h.season_id = e.season_id
 WHERE (e.run_id IS NULL AND (h.run_id IS NOT NULL OR h.result_digest <> repeat('0', 64)))
    OR (e.run_id IS NOT NULL AND (h.run_id IS DISTINCT FROM e.run_id OR h.result_digest IS DISTINCT FROM e.result_digest))
""",
    ),
)

PAYING: Final = (
    Invariant(
        "I10",
        "No earning is paid twice",
        """
SELECT s.entry_id AS entry, s.n, count(*) AS statements
  FROM statement_line s JOIN statement t ON t.id = s.statement_id JOIN payout_run r ON r.id = t.run_id
 WHERE s.live OR r.state <> 'cancelled'
 GROUP BY s.entry_id, s.n HAVING count(*) > 1 OR bool_or(s.live <> (r.state <> 'cancelled'))
""",
    ),
    Invariant(
        "I11",
        "Every payout is the sum of its statement, and is booked as it was sent",
        """
SELECT t.id AS statement, r.state, t.earned_minor AS earned, l.total AS lines, l.astray, t.payable_minor AS payable,
       y.amount_minor AS paid, s.minor AS sent, d.minor AS settled
  FROM statement t
  JOIN payout_run r ON r.id = t.run_id
  LEFT JOIN (SELECT x.statement_id, sum(x.amount_minor) AS total,
                    count(*) FILTER (WHERE p.amount IS DISTINCT FROM -x.amount_minor
                                        OR a.party IS DISTINCT FROM 'artisan:' || z.artisan_id) AS astray
               FROM statement_line x
               JOIN statement z ON z.id = x.statement_id
               LEFT JOIN posting p ON p.entry_id = x.entry_id AND p.n = x.n
               LEFT JOIN account a ON a.id = p.account_id AND a.code = 2100
              GROUP BY x.statement_id) l ON l.statement_id = t.id
  LEFT JOIN payment y ON y.statement_id = t.id
  LEFT JOIN LATERAL (SELECT sum(p.amount) AS minor FROM posting p JOIN account a ON a.id = p.account_id
                      WHERE p.entry_id = y.sent_entry_id AND a.code = 2100 AND a.party = 'artisan:' || t.artisan_id) s ON true
  LEFT JOIN LATERAL (SELECT sum(p.amount) AS minor FROM posting p JOIN account a ON a.id = p.account_id
                      WHERE p.entry_id = y.settled_entry_id AND a.code = 2450 AND a.party = 'payment:' || y.id) d ON true
 WHERE coalesce(l.total, 0) <> t.earned_minor OR l.astray > 0 OR y.amount_minor IS DISTINCT FROM t.payable_minor
    OR t.earned_minor <> t.payable_minor + t.set_off_minor + t.recouped_minor
    OR (y.sent_entry_id IS NOT NULL AND s.minor IS DISTINCT FROM t.earned_minor)
    OR (y.settled_entry_id IS NOT NULL AND d.minor IS DISTINCT FROM t.payable_minor)
    OR (y.sent_entry_id IS NULL) <> (r.state IN ('requested', 'computed', 'approved', 'failed', 'cancelled'))
    OR (r.state = 'settled' AND y.settled_entry_id IS NULL)
""",
    ),
)

AT_THE_BANK: Final = (
    Invariant(
        "I16",
        "The bank account is what the statements say, but for lines that wait to be matched",
        """
SELECT l.entry_id AS entry, l.minor AS statement, coalesce(b.minor, 0) AS booked
  FROM (SELECT entry_id, sum(amount_minor) AS minor FROM bank_line WHERE entry_id IS NOT NULL GROUP BY entry_id) l
  LEFT JOIN LATERAL (SELECT sum(p.amount) AS minor FROM posting p JOIN account a ON a.id = p.account_id
                      WHERE p.entry_id = l.entry_id AND a.code = 1000) b ON true
 WHERE l.minor IS DISTINCT FROM b.minor
""",
    ),
    Invariant(
        "I17",
        "Nothing is on its way, or waits for its household, for more than five bank days",
        """
SELECT w.code, w.whose, w.minor, w.since FROM (
  SELECT 2450 AS code, a.party AS whose, -b.amount AS minor, (
           SELECT min(e.posted_at) FROM posting p JOIN entry e ON e.id = p.entry_id WHERE p.account_id = a.id) AS since
    FROM account a JOIN balance b ON b.account_id = a.id AND b.amount <> 0 WHERE a.code = 2450
   UNION ALL
  SELECT 2600, 'line ' || l.id, l.amount_minor, e.posted_at
    FROM bank_line l JOIN entry e ON e.id = l.entry_id AND e.kind = 'unidentified_receipt'
   WHERE NOT EXISTS (SELECT FROM entry r WHERE r.key = 'resolve:' || l.id)
   UNION ALL
  SELECT 1050, 'card provider', c.total, min(c.posted_at)
    FROM (SELECT e.posted_at, p.amount, sum(p.amount) OVER (ORDER BY e.id DESC) AS with_newer, (
                   SELECT sum(x.amount) FROM posting x WHERE x.account_id = p.account_id) AS total
            FROM account a JOIN posting p ON p.account_id = a.id JOIN entry e ON e.id = p.entry_id
           WHERE a.code = 1050 AND p.amount > 0) c
   WHERE c.with_newer - c.amount < c.total GROUP BY c.total) w
 WHERE (SELECT count(*) FROM generate_series(date_trunc('day', w.since) + interval '1 day', clock_timestamp(), interval '1 day') d
         WHERE extract(isodow FROM d) < 6) > 5
""",
    ),
)

DIVIDING: Final = (
    Invariant(
        "I18",
        "A dividend is the result of its months less what the reserve keeps, and is booked and paid so",
        """
SELECT d.id AS dividend, d.result_minor AS result, c.minor AS closed, d.reserve_minor AS reserve, d.other_minor AS other,
       t.minor AS parts, t.astray, b.taken, b.kept, b.given
  FROM dividend d
  CROSS JOIN LATERAL (
    SELECT coalesce(-sum(p.amount), 0) AS minor FROM entry e JOIN posting p ON p.entry_id = e.id
      JOIN account a ON a.id = p.account_id AND a.code = 3900 LEFT JOIN entry r ON r.id = e.reverses_id
     WHERE e.business_date BETWEEN d.starts AND d.ends AND coalesce(r.kind, e.kind) = 'close') c
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.cash_minor + x.retained_minor), 0) AS minor, count(*) FILTER (
             WHERE x.entry_id IS NOT NULL AND x.cash_minor IS DISTINCT FROM (
               SELECT sum(p.amount) FROM posting p JOIN account a ON a.id = p.account_id
                WHERE p.entry_id = x.entry_id AND a.code = 2500 AND a.party = x.party)) AS astray
      FROM dividend_part x WHERE x.dividend_id = d.id) t
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.amount) FILTER (WHERE a.code = 3900), 0) AS taken,
           coalesce(-sum(p.amount) FILTER (WHERE a.code = 3200), 0) AS kept,
           coalesce(-sum(p.amount) FILTER (WHERE a.code IN (2500, 3100)), 0) AS given
      FROM posting p JOIN account a ON a.id = p.account_id WHERE p.entry_id = d.entry_id) b
 WHERE d.state = 'done' AND (d.result_minor <> c.minor OR d.result_minor <> b.taken OR d.reserve_minor <> b.kept
    OR t.minor <> b.given OR d.result_minor - d.reserve_minor - d.other_minor <> t.minor OR t.astray > 0)
""",
    ),
    Invariant(
        "I25",
        "In every month all that came went somewhere, and a closed month has given income and expense to its result",
        """
SELECT m.id AS month, m.starts, x.code, sum(x.minor) AS minor
  FROM period m JOIN (
    SELECT e.period_id, 0 AS code, sum(p.amount) AS minor FROM entry e JOIN posting p ON p.entry_id = e.id GROUP BY e.period_id
     UNION ALL
    SELECT e.period_id, a.code, sum(p.amount) FROM entry e JOIN posting p ON p.entry_id = e.id
      JOIN account a ON a.id = p.account_id AND a.code BETWEEN 4000 AND 5999 GROUP BY e.period_id, a.code) x ON x.period_id = m.id
 WHERE x.code = 0 OR m.closed_at IS NOT NULL
 GROUP BY m.id, m.starts, x.code HAVING sum(x.minor) <> 0
""",
    ),
)

TAXING: Final = (
    Invariant(
        "I29",
        "Tax, fees and sales in the books are those of the lines they stand for",
        f"""
SELECT coalesce(t.entry_id, b.entry_id) AS entry, t.tax, b.tax AS booked_tax, t.fees, b.fees AS booked_fees, t.sales, b.sales AS booked_sales
  FROM (SELECT x.entry_id, sum(x.tax_minor) AS tax, coalesce(sum(x.gross_minor - x.tax_minor) FILTER (WHERE x.what = 'fees'), 0) AS fees,
               coalesce(sum(x.gross_minor - x.tax_minor) FILTER (WHERE x.what = 'sales'), 0) AS sales
          FROM ({TAXED}) x GROUP BY x.entry_id) t
  FULL JOIN (
        SELECT e.id AS entry_id, coalesce(-sum(p.amount) FILTER (WHERE a.code = 2400), 0) AS tax,
               coalesce(-sum(p.amount) FILTER (WHERE a.code = 4000), 0) AS fees,
               coalesce(-sum(p.amount) FILTER (WHERE a.code = 4010), 0) AS sales
          FROM entry e JOIN posting p ON p.entry_id = e.id JOIN account a ON a.id = p.account_id AND a.code IN (2400, 4000, 4010)
          LEFT JOIN entry r ON r.id = e.reverses_id
         WHERE coalesce(r.kind, e.kind) IN ('pickup', 'credit_note', 'fee_changed') GROUP BY e.id) b ON b.entry_id = t.entry_id
 WHERE coalesce(t.tax, 0) <> coalesce(b.tax, 0) OR coalesce(t.fees, 0) <> coalesce(b.fees, 0)
    OR coalesce(t.sales, 0) <> coalesce(b.sales, 0)
""",  # noqa: S608 - put together from words of ours
    ),
)

WRITTEN: Final = (
    Invariant(
        "I30",
        "Members' documents are numbered from 1 without a gap, and each is the sum of its lines",
        """
SELECT coalesce(d.series, s.series) AS series, CAST(NULL AS bigint) AS document, d.documents, d.lowest, d.highest, s.last_number
  FROM (SELECT series, count(*) AS documents, min(number) AS lowest, max(number) AS highest FROM document GROUP BY series) d
  FULL JOIN document_series s ON s.series = d.series
 WHERE d.lowest IS DISTINCT FROM 1 OR d.highest IS DISTINCT FROM d.documents OR s.last_number IS DISTINCT FROM d.documents
 UNION ALL
SELECT d.series, d.id, NULL, NULL, NULL, NULL
  FROM document d
  LEFT JOIN (SELECT document_id, sum(gross_minor) AS gross, sum(tax_minor) AS tax, sum(fund_minor) AS fund, sum(deposit_minor) AS deposit
               FROM document_line GROUP BY document_id) l ON l.document_id = d.id
 WHERE (d.gross_minor, d.tax_minor, d.fund_minor, d.deposit_minor) IS DISTINCT FROM (l.gross, l.tax, l.fund, l.deposit)
""",
    ),
    Invariant(
        "I31",
        "Each line of a member's document says what the books have of its fact",
        """
SELECT w.document_id AS document, w.n, w.gross_minor AS told, b.gross AS booked, w.tax_minor AS told_tax, b.tax AS booked_tax
  FROM document_line w
  JOIN document d ON d.id = w.document_id
  LEFT JOIN order_line l ON l.id = w.line_id
  LEFT JOIN household_order o ON o.id = l.order_id
  LEFT JOIN offering f ON f.id = l.offering_id
  LEFT JOIN artisan_terms t ON t.id = f.terms_id
  LEFT JOIN LATERAL (
    SELECT h.pieces * l.unit_minor AS gross, h.tax_minor AS tax, h.fund_minor AS fund, h.pieces * l.deposit_minor AS deposit
      FROM hand_over_line h WHERE h.hand_over_id = w.hand_over_id AND h.line_id = w.line_id
     UNION ALL
    SELECT -n.gross_minor, -n.tax_minor, -n.fund_minor, 0 FROM credit_note n WHERE n.id = w.credit_note_id AND n.line_id = w.line_id
     UNION ALL
    SELECT n.gross_minor, n.tax_minor, n.fund_minor, 0 FROM credit_note n WHERE n.id = w.taken_back_id AND n.line_id = w.line_id
     UNION ALL
    SELECT -sum(p.amount), 0, 0, 0 FROM posting p JOIN account a ON a.id = p.account_id
     WHERE p.entry_id = w.entry_id AND a.code IN (2000, 2010) AND a.party = 'household:' || d.household_id HAVING count(*) > 0) b ON true
 WHERE (w.gross_minor, w.fund_minor, w.deposit_minor) IS DISTINCT FROM (b.gross, b.fund, b.deposit)
    OR (w.tax_minor <> b.tax AND t.model IS DISTINCT FROM 'agent') OR o.household_id <> d.household_id
""",
    ),
)

HOUSE: Final = (
    Invariant(
        "I15",
        "No job is stuck",
        """
SELECT id AS job_id, job, row_id, attempts, dead_at, last_error FROM outbox
 WHERE done_at IS NULL AND (dead_at IS NOT NULL OR attempts >= 10)
""",
    ),
    Invariant(
        SEALS,
        "The record of acts is sealed in time, and no seal is broken",
        """
SELECT 'not sealed when it was due' AS fault, a.id AS record, a.act FROM audit_record a
 WHERE NOT a.id <@ coalesce((SELECT range_agg(r) FROM seal, unnest(covered) r), '{}')
   AND EXISTS (SELECT FROM outbox o WHERE o.job = 'audit.seal' AND o.created_at > a.at
                                      AND o.created_at < clock_timestamp() - interval '5 minutes')
""",
    ),
)

INVARIANTS: Final = tuple(
    sorted(
        (*LEDGER, *SHARING_OUT, *PAYING, *AT_THE_BANK, *DIVIDING, *TAXING, *WRITTEN, *HOUSE),
        key=lambda rule: int(rule.id[1:]),
    )
)
