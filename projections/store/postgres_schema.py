"""The tables beside the library's on PostgreSQL, and the function that appends one entry in one
round trip.
"""

from __future__ import annotations

from projections.store.entry_recorder import INDEXES
from projections.store.fact_rows import COLUMNS, FACT_COLUMNS, SYMBOL_COLUMNS
from projections.store.schema import CREATE_TABLE, INSERT_VERSION

CREATING = 0x6D65726974  # the advisory lock of whoever makes the tables

# The tables in the schema, without those of extensions.
TABLES = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""

# The widest columns first: rows of facts are without gaps.
_STORED = sorted(FACT_COLUMNS, key=lambda column: -column.bytes)
_TYPES = {4: "integer", 8: "bigint"}
_TYPE = {column.name: _TYPES[column.bytes] for column in FACT_COLUMNS}

# When an event is written, as it is stored; whoever asks holds the lock, so that it is never before
# the last event.
_MOMENT = """
CREATE FUNCTION merit_moment () RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT greatest(
        to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') COLLATE "C",
        (SELECT convert_from(substring(state FROM 8 FOR 27), 'UTF8') FROM stored_events
         ORDER BY notification_id DESC LIMIT 1))
$$
"""
# Finds an event of a topic after a position.
MOMENT = "SELECT merit_moment() AS moment"

# What `merit_append` is sent of a fact beside its symbols, by name, and where it gets the rest.
SENT = tuple(
    column for column in COLUMNS if column not in {*SYMBOL_COLUMNS, "position", "reverses"}
)
_VALUES = (
    {"position": "its_position", "reverses": "0"}
    | {column: f"e.{column}" for column in SENT}
    | {column: f"e.numbers[{i}]" for i, column in enumerate(SYMBOL_COLUMNS, 1)}
)
_MANAGER = SYMBOL_COLUMNS.index("manager") + 1

# The steps are those of `domain.ledger.acceptance.decide` and `EntryWork.write`, for entries that
# are no reversals, each as if it came alone. Symbols come in `numbers` where the caller knows their
# numbers, else in `texts`, both in the order of the columns. An assignment that has been reversed
# may count again: that takes the long way ("undecided").
#
# A ledger keeps the function that it was made with, so what it is sent must stay as it is.
_APPEND = f"""
CREATE FUNCTION merit_append (entries json) RETURNS TABLE (status text, "position" bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    e record;
    its_status text;
    its_position bigint;
    its_number integer;
    its_version bigint;
    moment text;
BEGIN
    LOCK TABLE stored_events IN EXCLUSIVE MODE;
    moment := merit_moment();
    NOTIFY stored_events;
    FOR e IN SELECT * FROM json_to_recordset(entries) AS x (
        stream uuid, topic text, state text, dated boolean,
        source text, source_id text, digest text, asks_place boolean,
        {", ".join(f"{column} {_TYPE[column]}" for column in SENT)},
        numbers integer[], texts text[])
    LOOP
        SELECT CASE WHEN k.digest = decode(e.digest, 'hex') THEN 'duplicate' ELSE 'conflict' END,
            k.position
        INTO its_status, its_position
        FROM keys k WHERE k.source = e.source AND k.source_id = e.source_id;
        IF its_status IS NULL AND e.asks_place THEN
            IF e.texts[{_MANAGER}] IS NOT NULL THEN
                SELECT s.id INTO its_number FROM symbols s WHERE s.text = e.texts[{_MANAGER}];
                e.numbers[{_MANAGER}] := its_number;
            END IF;
            SELECT CASE WHEN count(*) FILTER (WHERE f.month <= e.month) = 0 THEN 'no_assignment'
                        WHEN bool_or(f.reverses <> 0) THEN 'undecided' END INTO its_status
            FROM facts f WHERE f.kind = 0 AND f.manager = e.numbers[{_MANAGER}];
        END IF;
        IF its_status IS NULL THEN
            FOR i IN 1..{len(SYMBOL_COLUMNS)} LOOP
                IF e.texts[i] IS NOT NULL THEN
                    SELECT s.id INTO its_number FROM symbols s WHERE s.text = e.texts[i];
                    IF NOT FOUND THEN
                        INSERT INTO symbols (id, text)
                        SELECT coalesce(max(s.id), 0) + 1, e.texts[i] FROM symbols s
                        RETURNING id INTO its_number;
                    END IF;
                    e.numbers[i] := its_number;
                END IF;
            END LOOP;
            SELECT coalesce(max(o.originator_version), 0) + 1 INTO its_version
            FROM stored_events o WHERE o.originator_id = e.stream;
            INSERT INTO stored_events (originator_id, originator_version, topic, state)
            VALUES (e.stream, its_version, e.topic, CASE
                WHEN e.dated THEN decode(e.state, 'hex')
                ELSE convert_to('{{"at":"' || moment || '",', 'UTF8')
                    || substring(decode(e.state, 'hex') FROM 2) END)
            RETURNING notification_id INTO its_position;
            INSERT INTO keys VALUES (e.source, e.source_id, its_position, decode(e.digest, 'hex'));
            INSERT INTO facts ({", ".join(COLUMNS)})
            VALUES ({", ".join(_VALUES[column] for column in COLUMNS)});
            its_status := 'accepted';
        END IF;
        status := its_status;
        "position" := its_position;
        RETURN NEXT;
    END LOOP;
END $$
"""
APPEND = "SELECT status, position FROM merit_append (?)"

SCHEMA = (
    """CREATE TABLE keys (
        source text COLLATE "C" NOT NULL, source_id text COLLATE "C" NOT NULL,
        position bigint NOT NULL, digest bytea NOT NULL, PRIMARY KEY (source, source_id))""",
    # By hash, because a text may be longer than an entry of an ordered index.
    """CREATE TABLE symbols (
        id integer PRIMARY KEY, text text NOT NULL, EXCLUDE USING hash (text WITH =))""",
    f"CREATE TABLE facts ({', '.join(f'{c.name} {_TYPE[c.name]} NOT NULL' for c in _STORED)})",
    "CREATE INDEX facts_month ON facts (month, manager)",
    *INDEXES,
    "CREATE TABLE tracking (name text PRIMARY KEY, position bigint NOT NULL)",
    _MOMENT,
    _APPEND,
    CREATE_TABLE,
    INSERT_VERSION,
)
