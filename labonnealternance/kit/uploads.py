"""Files that visitors send: nothing larger than what any form takes is read."""

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# A file of 5 MB, and the other fields.
LARGEST_REQUEST = 6 * 1024 * 1024


class BoundedUpload(FileUploadHandler):
    """Refuses a request that says it is larger, before its first byte is read; keeps no file itself."""

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):  # noqa: N803 (Django names it so)
        if content_length > LARGEST_REQUEST:
            raise RequestDataTooBig(f"{content_length} bytes")

    def receive_data_chunk(self, raw_data, start):
        return raw_data

    def file_complete(self, file_size):
        return None
