"""The models that several chapters share: each is trained, or found, by one call.

Read tasks.py first (what is translated into what), then build.py (tokenizer, next-scale model,
translators, rivals). sources.py says where a task's pictures come from, profiles/ holds the sizes,
trained.py is what every call returns, judges.py and published.py are what their names say, and
find.py knows which runs are on this machine; load_run.py puts a model together again from its record.
"""
