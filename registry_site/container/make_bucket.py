"""Makes the bucket that PODIUM_ARTIFACT_ROOT (s3://bucket/prefix) names, unless it is there."""

import os
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

bucket = urlsplit(os.environ["PODIUM_ARTIFACT_ROOT"]).netloc
client = boto3.client("s3")
try:
    client.create_bucket(Bucket=bucket)
except ClientError as error:
    if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
        raise
