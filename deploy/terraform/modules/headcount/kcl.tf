# The KCL's tables: leases with their checkpoints, and its mode. The KCL and the supervisor would make them at
# their first start, and still do where they find none. They are made here so that they are tagged and go with the rest:
# leases that outlive their stream would be taken for those of the next stream of that name (docs/operations.md).

locals {
  kcl_tables = {
    lease       = { suffix = "", key = "leaseKey", owner_index = true }
    coordinator = { suffix = "-CoordinatorState", key = "key", owner_index = false }
  }

  # Another value for each new stream of the same name.
  source_of = {
    consumer         = var.create_events_stream ? aws_kinesis_stream.events[0].id : tostring(data.aws_kinesis_stream.events[0].creation_timestamp)
    level_aggregator = aws_dynamodb_table.data["player"].stream_arn
  }

  kcl_tables_by_service = merge([
    for service, application in local.kcl_applications : {
      for kind, table in local.kcl_tables : "${service}/${kind}" => merge(table, {
        service = service
        name    = "${application}${table.suffix}"
      })
    }
  ]...)
}

# What a table's application reads: once that is made anew, the table's rows mean nothing any more.
resource "terraform_data" "source" {
  for_each = var.create_kcl_tables ? local.kcl_tables_by_service : {}

  triggers_replace = local.source_of[each.value.service]
}

resource "aws_dynamodb_table" "kcl" {
  #checkov:skip=CKV_AWS_119:Holds shard ids, positions and worker ids, no events; a customer key is the user's choice (kms_key_arn).
  for_each = var.create_kcl_tables ? local.kcl_tables_by_service : {}

  name         = each.value.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = each.value.key
  tags         = local.tags

  dynamic "attribute" {
    for_each = each.value.owner_index ? ["leaseKey", "leaseOwner"] : [each.value.key]

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.owner_index ? ["LeaseOwnerToLeaseKeyIndex"] : []

    content {
      name            = global_secondary_index.value
      hash_key        = "leaseOwner"
      range_key       = "leaseKey"
      projection_type = "KEYS_ONLY"
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  lifecycle {
    replace_triggered_by = [terraform_data.source[each.key]]
  }
}
