from django.db import migrations

# The roles of the day; later ones come with their own migration.
ROLES = ["recruiter", "advisor", "cfa", "partner"]


def create(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    for role in ROLES:
        Group.objects.get_or_create(name=role)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_sign_in_links")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
