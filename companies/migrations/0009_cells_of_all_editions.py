"""The cells of all editions under one name: the search asks them with the name of the edition, in one round trip.

The tables of editions already built become partitions as they are.
"""

from django.db import migrations

CREATE = """
CREATE TABLE companies_searchcell (
    edition_id bigint, rome text COLLATE "C", lat_cell smallint, lon_cell smallint, entries integer
) PARTITION BY LIST (edition_id)
"""

# Each table of cells, and the number of its edition.
EACH = """
DO $$
DECLARE
    cells record;
BEGIN
    FOR cells IN
        SELECT relname AS name, substring(relname FROM '[0-9]+$')::bigint AS edition FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
          AND relname ~ '^companies_searchcell_[0-9]+$'
    LOOP
        %s
    END LOOP;
END
$$
"""
ATTACH = """
        EXECUTE format('ALTER TABLE %I ADD COLUMN edition_id bigint DEFAULT %s', cells.name, cells.edition);
        EXECUTE format(
            'ALTER TABLE companies_searchcell ATTACH PARTITION %I FOR VALUES IN (%s)', cells.name, cells.edition
        );
"""
DETACH = """
        EXECUTE format('ALTER TABLE companies_searchcell DETACH PARTITION %I', cells.name);
        EXECUTE format('ALTER TABLE %I DROP COLUMN edition_id', cells.name);
"""


class Migration(migrations.Migration):
    dependencies = [("companies", "0008_contact_domain")]

    operations = [
        migrations.RunSQL(CREATE, "DROP TABLE companies_searchcell"),
        migrations.RunSQL(EACH.replace("%s", ATTACH, 1), EACH.replace("%s", DETACH, 1)),
    ]
