"""A million made-up people, in a database of their own that outlasts the run: what benchmarks of eligibility
and of search read.

    with people(size("CANDIDATES", 1_000_000)):
        ...  # Django's default connection is to a migrated database with that many people in it

They are the same on every machine: each fact is drawn by hashing the person's id and the question, so the data set can
be written in any order. Skills are as skewed as in life (Zipf's law), and every fact is missing for some.

Rows are written by the server itself, without triggers: no history, no events, no marks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date

from django.db import connection

from config.bench import own_database
from matching.core.attributes import Subject
from matching.core.titles import title_words
from tests.benchmarks.loading import drop_indexes
from tests.benchmarks.vocabulary import (
    SKILL_NAMES,
    SKILLS,
    TRADES,
    family_of,
    lexemes,
    name_skills,
    skill_words,
)

TODAY = date(2026, 6, 15)
"""The day on which the data set looks: expiries and last uses lie around it."""

GROUPS = 400

LOADERS = 2


def narrower_than(family: int) -> tuple[int, ...]:
    """The hundred skills below a heading."""
    return tuple(skill_id for skill_id in range(1, SKILLS + 1) if family_of(skill_id) == family)


@contextmanager
def people(count: int) -> Iterator[None]:
    """Django on a database with that many people, skills 1 … 3000 and their headings; nothing else is in it.

    The first use builds it, which takes minutes for a million; later ones find it ready. What a benchmark writes
    there it takes back.
    """
    made_of = hashlib.sha256(repr((count, CHANCES, *STEPS, FACTS, TRADES, SKILL_NAMES)).encode()).hexdigest()
    with own_database(f"people_{count}", made_of, lambda: _build(count)):
        yield


def _build(count: int) -> None:
    with connection.cursor() as cursor:
        indexes = drop_indexes(cursor, "matching_candidateprojection")
        _write_words(cursor)
    bounds = [count * share // LOADERS for share in range(LOADERS + 1)]
    with ThreadPoolExecutor(LOADERS) as loaders:
        list(loaders.map(_load, [first + 1 for first in bounds], bounds[1:]))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for statement in (*STEPS, *indexes, "VACUUM ANALYZE matching_candidateprojection, marketplace_candidate"):
            cursor.execute(statement)
        name_skills(Subject.CANDIDATE)
    connection.close()  # and with it what was set


def _write_words(cursor) -> None:
    """What vectors hold of a trade, in a headline (A) and in a title (B), and of a skill (C): tables that the loaders
    read."""
    cursor.execute(
        "CREATE TABLE made_up_trade (rank int PRIMARY KEY, name text, headline text, title text, told text[]);"
        "CREATE TABLE made_up_skill (id int PRIMARY KEY, words text)"
    )
    with cursor.copy("COPY made_up_trade FROM STDIN") as copy:
        for rank, name in enumerate(TRADES):
            told = sorted(title_words([name]))
            copy.write_row((rank, name, lexemes(name, 1, "A"), lexemes(name, 2, "B"), told))
    with cursor.copy("COPY made_up_skill FROM STDIN") as copy:
        for skill_id in range(1, SKILLS + 1):
            copy.write_row((skill_id, skill_words(skill_id, "C")))
    cursor.execute("ANALYZE made_up_trade, made_up_skill")


def _load(first: int, last: int) -> None:
    """The projections of one range of ids, in a connection of this thread."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(CHANCES)
            cursor.execute(FACTS, [first, last])
    finally:
        connection.close()


CHANCES = f"""
    -- A number from 0 up to 1 that the person and the question decide.
    CREATE OR REPLACE FUNCTION pg_temp.chance(person bigint, question bigint) RETURNS float8
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN (hashint8extended(person, question) & 4294967295) / 4294967296::float8;
    CREATE OR REPLACE FUNCTION pg_temp.pick(options text[], chance float8) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN options[1 + floor(cardinality(options) * chance)::int];
    -- A day before or after the one on which the data set looks.
    CREATE OR REPLACE FUNCTION pg_temp.day(distance float8) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN to_char(DATE '2026-06-15' + distance::int, 'YYYY-MM-DD');
    CREATE OR REPLACE FUNCTION pg_temp.rank_of_trade(chance float8) RETURNS int
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN floor({len(TRADES)} * power(chance, 2))::int;
"""

FACTS = """
    INSERT INTO matching_candidateprojection (
        candidate_id, revision, country, region, latitude, longitude, timezone, utc_offset_minutes,
        work_starts_minute, work_ends_minute, work_starts_utc, work_minutes, languages, work_authorisations,
        years_experience, weekly_hours, free_hours, hourly_rate, commitments, available_from, skill_ids, skills,
        groups, vetting, title_words, occupations, mentioned_skills, worked_for, invitations_answered,
        invitations_received, offers_accepted, offers_decided, placements_completed, placements_over, last_active_on,
        headline, titles, words, blocked_organisations, discoverable, open_to_offers, present,
        refreshed_at, changed_xid
    )
    SELECT n, 1, home.country,
        CASE WHEN pg_temp.chance(n, 2) < 0.7 THEN
            home.country || '-' || to_char(1 + floor(12 * power(pg_temp.chance(n, 3), 2)), 'FM00') END,
        CASE WHEN pg_temp.chance(n, 4) < 0.6 THEN 36 + 24 * pg_temp.chance(n, 5) END,
        CASE WHEN pg_temp.chance(n, 4) < 0.6 THEN -9 + 33 * pg_temp.chance(n, 6) END,
        home.zone, home.ahead, hours.starts, hours.ends,
        CASE WHEN home.ahead IS NOT NULL THEN mod(hours.starts - home.ahead + 1440, 1440) END,
        CASE WHEN home.ahead IS NOT NULL AND hours.starts IS NOT NULL THEN
            coalesce(nullif(mod(hours.ends - hours.starts + 1440, 1440), 0), 1440) END,
        CASE WHEN pg_temp.chance(n, 7) < 0.06 THEN '{}' ELSE
            CASE WHEN pg_temp.chance(n, 8) < 0.8 THEN
                jsonb_build_object('en', 1 + floor(6 * pg_temp.chance(n, 9))) ELSE '{}' END
            || jsonb_build_object(home.language, 3 + floor(4 * pg_temp.chance(n, 10)))
            || CASE WHEN pg_temp.chance(n, 11) < 0.3 THEN
                jsonb_build_object(pg_temp.pick('{fr,es,it,pt,ar,zh}', pg_temp.chance(n, 12)),
                    1 + floor(4 * pg_temp.chance(n, 13))) ELSE '{}' END END,
        CASE WHEN pg_temp.chance(n, 14) < 0.1 THEN '{}' ELSE
            CASE WHEN home.country IS NULL THEN '{}' ELSE jsonb_build_object(home.country,
                CASE WHEN pg_temp.chance(n, 15) < 0.2 THEN pg_temp.day(1500 * pg_temp.chance(n, 16) - 300) END) END
            || CASE WHEN pg_temp.chance(n, 17) < 0.25 THEN
                jsonb_build_object(pg_temp.pick('{DE,FR,US,GB,NL,CH}', pg_temp.chance(n, 18)),
                    pg_temp.day(1500 * pg_temp.chance(n, 19) - 300)) ELSE '{}' END END,
        CASE WHEN pg_temp.chance(n, 20) < 0.92 THEN round((40 * power(pg_temp.chance(n, 21), 2))::numeric, 1) END,
        week.hours,
        CASE WHEN pg_temp.chance(n, 23) < 0.15 THEN floor(week.hours * pg_temp.chance(n, 24)) ELSE week.hours END,
        CASE WHEN pg_temp.chance(n, 25) < 0.8 THEN round((12 + 25 * -ln(1 - pg_temp.chance(n, 26)))::numeric, 2) END,
        CASE WHEN pg_temp.chance(n, 27) < 0.9 THEN
            (ARRAY['{full_time}', '{contract}', '{contract,full_time}', '{part_time}', '{full_time,part_time}',
                '{contract,part_time,temporary}', '{internship}', '{temporary}']::text[])
            [1 + floor(8 * power(pg_temp.chance(n, 28), 2))::int]::varchar[] ELSE '{}' END,
        CASE WHEN pg_temp.chance(n, 29) < 0.6 THEN pg_temp.day(180 * pg_temp.chance(n, 30) - 60)::date END,
        able.ids, able.facts,
        CASE WHEN pg_temp.chance(n, 31) < 0.1 THEN ARRAY[1 + floor(400 * pg_temp.chance(n, 32))::int] ELSE '{}' END,
        CASE WHEN pg_temp.chance(n, 33) < 0.5 THEN jsonb_build_object('identity', jsonb_build_object(
            'passed', pg_temp.chance(n, 34) < 0.95,
            'until', CASE WHEN pg_temp.chance(n, 35) < 0.5 THEN pg_temp.day(900 * pg_temp.chance(n, 36) - 200) END))
            ELSE '{}' END
        || CASE WHEN pg_temp.chance(n, 37) < 0.3 THEN jsonb_build_object('background', jsonb_build_object(
            'passed', pg_temp.chance(n, 38) < 0.9, 'until', pg_temp.day(900 * pg_temp.chance(n, 39) - 200)))
            ELSE '{}' END,
        ARRAY(SELECT DISTINCT unnest(trade.told || before.told || earlier.told) ORDER BY 1),
        CASE WHEN pg_temp.chance(n, 64) < 0.6 THEN
            ARRAY(SELECT DISTINCT rank FROM unnest(ARRAY[trade.rank, before.rank, earlier.rank]) rank
                WHERE rank IS NOT NULL ORDER BY rank) ELSE '{}' END,
        said.ids,
        CASE WHEN past.completed > 0 THEN ARRAY[1 + floor(5000 * pg_temp.chance(n, 65))::int] ELSE '{}' END,
        floor((asked.invited + 1) * sqrt(pg_temp.chance(n, 66))), asked.invited,
        floor((asked.offered + 1) * sqrt(pg_temp.chance(n, 67))), asked.offered,
        past.completed, past.over,
        CASE WHEN pg_temp.chance(n, 68) < 0.95 THEN pg_temp.day(-900 * power(pg_temp.chance(n, 69), 2))::date END,
        trade.name, CASE WHEN earlier.name IS NULL THEN ARRAY[before.name] ELSE ARRAY[before.name, earlier.name] END,
        concat_ws(' ', trade.headline, before.title, earlier.title, able.words)::tsvector,
        CASE WHEN pg_temp.chance(n, 43) < 0.03 THEN ARRAY[1 + floor(5000 * pg_temp.chance(n, 44))::int] ELSE '{}' END,
        pg_temp.chance(n, 40) < 0.9, pg_temp.chance(n, 41) < 0.5, pg_temp.chance(n, 42) < 0.98,
        now(), pg_current_xact_id()::text::bigint
    FROM generate_series(%s::bigint, %s::bigint) n
    CROSS JOIN LATERAL (SELECT CASE WHEN pg_temp.chance(n, 0) < 0.96 THEN
        1 + floor(30 * power(pg_temp.chance(n, 1), 2.5))::int END AS rank OFFSET 0) place
    CROSS JOIN LATERAL (SELECT
        ('{DE,FR,GB,ES,IT,PL,NL,RO,AT,SE,CZ,PT,GR,HU,BE,CH,BG,DK,FI,SK,IE,NO,HR,LT,SI,LV,EE,IN,US,BR}'::text[])
            [place.rank] AS country,
        coalesce(('{de,fr,en,es,it,pl,nl,ro,de,sv,cs,pt,el,hu,nl,de,bg,da,fi,sk,en,no,hr,lt,sl,lv,et,hi,en,pt}'::text[])
            [place.rank], 'en') AS language,
        CASE WHEN pg_temp.chance(n, 50) < 0.9 THEN (
            '{Europe/Berlin,Europe/Paris,Europe/London,Europe/Madrid,Europe/Rome,Europe/Warsaw,Europe/Amsterdam,'
            'Europe/Bucharest,Europe/Vienna,Europe/Stockholm,Europe/Prague,Europe/Lisbon,Europe/Athens,Europe/Budapest,'
            'Europe/Brussels,Europe/Zurich,Europe/Sofia,Europe/Copenhagen,Europe/Helsinki,Europe/Bratislava,'
            'Europe/Dublin,Europe/Oslo,Europe/Zagreb,Europe/Vilnius,Europe/Ljubljana,Europe/Riga,Europe/Tallinn,'
            'Asia/Kolkata,America/New_York,America/Sao_Paulo}'::text[])[place.rank] END AS zone,
        CASE WHEN pg_temp.chance(n, 50) < 0.9 THEN ('{120,120,60,120,120,120,120,180,120,120,120,60,180,120,120,120,'
            '180,120,180,120,60,120,120,180,120,180,180,330,-240,-180}'::int[])[place.rank] END AS ahead
        OFFSET 0) home
    CROSS JOIN LATERAL (SELECT
        CASE WHEN pg_temp.chance(n, 51) < 0.65 THEN 360 + 15 * floor(20 * pg_temp.chance(n, 52))::int
            + CASE WHEN pg_temp.chance(n, 53) < 0.04 THEN 840 ELSE 0 END END AS starts OFFSET 0) morning
    CROSS JOIN LATERAL (SELECT mod(morning.starts, 1440) AS starts,
        mod(morning.starts + CASE WHEN pg_temp.chance(n, 54) < 0.01 THEN 1440
            ELSE 240 + 30 * floor(13 * pg_temp.chance(n, 55))::int END, 1440) AS ends OFFSET 0) hours
    CROSS JOIN LATERAL (SELECT CASE WHEN pg_temp.chance(n, 56) < 0.9 THEN
        ('{40,40,40,38,35,32,30,25,20,10}'::int[])[1 + floor(10 * pg_temp.chance(n, 57))::int] END AS hours
        OFFSET 0) week
    CROSS JOIN LATERAL (
        SELECT array_agg(id ORDER BY id) AS ids, jsonb_object_agg(id, jsonb_build_object(
            'level', 1 + floor(5 * pg_temp.chance(n, 1000 + id)),
            'years', CASE WHEN pg_temp.chance(n, 5000 + id) < 0.8 THEN
                round((15 * power(pg_temp.chance(n, 9000 + id), 2))::numeric, 1)::text END,
            'last_used', CASE WHEN pg_temp.chance(n, 13000 + id) < 0.85 THEN
                pg_temp.day(-3650 * power(pg_temp.chance(n, 17000 + id), 3)) END)) AS facts,
            string_agg((SELECT words FROM made_up_skill WHERE made_up_skill.id = drawn.id), ' ') AS words
        FROM (
            SELECT DISTINCT 1 + floor(5 * power(601, pg_temp.chance(n, 100 + slot)) - 5)::int AS id
            FROM generate_series(1, 5 + floor(10 * pg_temp.chance(n, 58))::int) slot
        ) drawn
    ) able
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids
        FROM (
            SELECT DISTINCT 1 + floor(5 * power(601, pg_temp.chance(n, 200 + slot)) - 5)::int AS id
            FROM generate_series(1, floor(10 * pg_temp.chance(n, 70))::int) slot
        ) drawn
        WHERE id <> ALL (able.ids)
    ) said
    CROSS JOIN LATERAL (SELECT floor(12 * power(pg_temp.chance(n, 71), 3))::int AS invited,
        floor(6 * power(pg_temp.chance(n, 72), 3))::int AS offered,
        floor(5 * power(pg_temp.chance(n, 73), 3))::int AS over OFFSET 0) asked
    CROSS JOIN LATERAL (SELECT asked.over,
        floor((asked.over + 1) * power(pg_temp.chance(n, 74), 0.25))::int AS completed OFFSET 0) past
    JOIN made_up_trade trade ON trade.rank = pg_temp.rank_of_trade(pg_temp.chance(n, 60))
    JOIN made_up_trade before ON before.rank = pg_temp.rank_of_trade(pg_temp.chance(n, 61))
    LEFT JOIN made_up_trade earlier
        ON pg_temp.chance(n, 62) < 0.6 AND earlier.rank = pg_temp.rank_of_trade(pg_temp.chance(n, 63))
"""

STEPS = (
    """
    INSERT INTO marketplace_candidate (
        id, public_id, name, email, phone, linkedin, resume_text, headline, country, region, latitude, longitude,
        timezone, work_starts_minute, work_ends_minute, years_experience, weekly_hours, rate_amount, rate_currency,
        rate_period, commitments, available_from, discoverable, open_to_offers, revision, created_at
    )
    SELECT candidate_id, gen_random_uuid(), 'Person ' || candidate_id, '', '', '', '', headline, coalesce(country, ''),
        coalesce(region, ''), latitude, longitude, coalesce(timezone, ''), work_starts_minute, work_ends_minute,
        years_experience, weekly_hours, hourly_rate, CASE WHEN hourly_rate IS NULL THEN '' ELSE 'EUR' END,
        CASE WHEN hourly_rate IS NULL THEN '' ELSE 'hour' END, commitments, available_from, discoverable,
        open_to_offers, 1, now()
    FROM matching_candidateprojection
    """,
    "DROP TABLE made_up_trade, made_up_skill",
    "SELECT setval(pg_get_serial_sequence('marketplace_candidate', 'id'), max(id)) FROM marketplace_candidate",
)
