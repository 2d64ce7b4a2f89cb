resource "aws_dynamodb_table" "data" {
  #checkov:skip=CKV_AWS_119:A customer key is the user's choice (kms_key_arn); without it AWS's own key encrypts the table.
  for_each = local.tables

  name             = var.table_names[each.key]
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = each.value.partition_key
  range_key        = each.value.sort_key
  stream_enabled   = each.value.stream
  stream_view_type = each.value.stream ? "NEW_AND_OLD_IMAGES" : null

  deletion_protection_enabled = var.deletion_protection

  tags = local.tags

  dynamic "attribute" {
    for_each = compact([each.value.partition_key, each.value.sort_key])

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "ttl" {
    for_each = each.value.ttl[*]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # Not given, AWS encrypts with a key that it owns.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}
