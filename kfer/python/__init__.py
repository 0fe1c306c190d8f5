"""What a notebook calls: kfer.fit, kfer.load, kfer.audit, kfer.data.from_table, ..."""
