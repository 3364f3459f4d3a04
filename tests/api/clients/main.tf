# What the Terraform provider makes of one Tidegate. `note` is changed for the update.
terraform {
  required_providers {
    prismacloud = { source = "PaloAltoNetworks/prismacloud" }
  }
}

variable "note" { default = "first" }

locals {
  integrations = {
    webhook          = { url = "https://hooks.example.com/x" }
    slack            = { webhook_url = "https://hooks.slack.com/services/T000/B000/XXXX" }
    splunk           = { url = "https://splunk.example.com:8088/services/collector", auth_token = "11111111-2222-3333-4444-555555555555" }
    amazon_sqs       = { queue_url = "https://sqs.eu-central-1.amazonaws.com/111122223333/alerts" }
    microsoft_teams  = { url = "https://teams.example.com/webhook" }
    pager_duty       = { integration_key = "0123456789abcdef0123456789abcdef" }
    google_cscc      = { org_id = "123456789", source_id = "987654321" }
    tenable          = { access_key = "a", secret_key = "b" }
  }
}

resource "prismacloud_integration" "each" {
  for_each         = local.integrations
  name             = "TF ${each.key}"
  description      = var.note
  integration_type = each.key
  enabled          = true
  integration_config {
    url             = lookup(each.value, "url", null)
    webhook_url     = lookup(each.value, "webhook_url", null)
    auth_token      = lookup(each.value, "auth_token", null)
    queue_url       = lookup(each.value, "queue_url", null)
    integration_key = lookup(each.value, "integration_key", null)
    org_id          = lookup(each.value, "org_id", null)
    source_id       = lookup(each.value, "source_id", null)
    access_key      = lookup(each.value, "access_key", null)
    secret_key      = lookup(each.value, "secret_key", null)
  }
}

resource "prismacloud_account_group" "group" {
  name        = "TF group"
  description = var.note
}

resource "prismacloud_rql_search" "search" {
  search_type = "config"
  query       = "config from cloud.resource where api.name = 'aws-ec2-describe-instances'"
  time_range {
    relative {
      unit   = "hour"
      amount = 24
    }
  }
}

resource "prismacloud_saved_search" "search" {
  name        = "TF search"
  description = "by Terraform"
  search_id   = prismacloud_rql_search.search.search_id
  query       = prismacloud_rql_search.search.query
  time_range {
    relative {
      unit   = prismacloud_rql_search.search.time_range[0].relative[0].unit
      amount = prismacloud_rql_search.search.time_range[0].relative[0].amount
    }
  }
}

resource "prismacloud_policy" "policy" {
  name        = "TF policy"
  policy_type = "config"
  cloud_type  = "aws"
  severity    = "high"
  description = var.note
  rule {
    name      = "TF policy"
    criteria  = prismacloud_saved_search.search.search_id
    rule_type = "Config"
    parameters = {
      savedSearch = "true"
      withIac     = "false"
    }
  }
}

resource "prismacloud_notification_template" "template" {
  integration_type = "email"
  name             = "TF template"
  template_config {
    basic_config {
      display_name = "Note"
      field_name   = "custom_note"
      type         = "text"
      value        = var.note
    }
  }
}

resource "prismacloud_alert_rule" "rule" {
  name        = "TF rule"
  description = var.note
  policies    = [prismacloud_policy.policy.policy_id]
  target {
    account_groups = [prismacloud_account_group.group.group_id]
  }
  notification_config {
    config_type = "webhook"
    enabled     = true
    frequency   = "as_it_happens"
    recipients  = [prismacloud_integration.each["webhook"].integration_id]
  }
}
