// Drives Palo Alto's Go client against one Tidegate: each step prints a line, the first failure ends it.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	pc "github.com/paloaltonetworks/prisma-cloud-go"
	"github.com/paloaltonetworks/prisma-cloud-go/alert"
	"github.com/paloaltonetworks/prisma-cloud-go/alert/rule"
	"github.com/paloaltonetworks/prisma-cloud-go/cloud/account/group"
	"github.com/paloaltonetworks/prisma-cloud-go/integration"
	template "github.com/paloaltonetworks/prisma-cloud-go/notification-template"
	"github.com/paloaltonetworks/prisma-cloud-go/policy"
	"github.com/paloaltonetworks/prisma-cloud-go/rql/history"
	"github.com/paloaltonetworks/prisma-cloud-go/rql/search"
	"github.com/paloaltonetworks/prisma-cloud-go/timerange"
)

func must(step string, err error) {
	if err != nil {
		fmt.Printf("FAILED %s: %v\n", step, err)
		os.Exit(1)
	}
	fmt.Printf("ok %s\n", step)
}

func check(step string, right bool, got interface{}) {
	if !right {
		must(step, fmt.Errorf("got %+v", got))
	}
	fmt.Printf("ok %s\n", step)
}

func main() {
	port, _ := strconv.Atoi(os.Getenv("TIDEGATE_PORT"))
	client := &pc.Client{
		Url: "127.0.0.1", Port: port, Protocol: "http",
		Username: os.Getenv("TIDEGATE_KEY"), Password: os.Getenv("TIDEGATE_SECRET"),
		Logging: map[string]bool{pc.LogQuiet: true},
	}
	must("login", client.Initialize(""))
	ever := timerange.TimeRange{Value: timerange.Epoch}
	const query = "config from cloud.resource where api.name = 'aws-ec2-describe-instances'"

	must("group create", group.Create(client, group.Group{Name: "Go group", AccountIds: []string{}}))
	groupId, err := group.Identify(client, "Go group")
	must("group identify", err)
	must("group update", group.Update(client, group.Group{Id: groupId, Name: "Go group", Description: "new"}))
	made, err := group.Get(client, groupId)
	must("group get", err)
	check("group is as written", made.Description == "new", made)

	found, err := search.ConfigSearch(client, search.ConfigRequest{Query: query, TimeRange: ever, Limit: 2})
	must("search", err)
	check("search has rows", len(found.Data.Items) == 2 && found.Data.Items[0].StateId != "", found)
	saved, err := history.Save(client, history.SavedSearch{Id: found.Id, Name: "Go search", Query: query, TimeRange: ever})
	must("search save", err)
	check("search is saved", saved.Saved && saved.Name == "Go search", saved)
	searchId, err := history.Identify(client, "Go search")
	must("search identify", err)
	check("search keeps its id", searchId == found.Id, searchId)

	must("policy create", policy.Create(client, policy.Policy{
		Name: "Go policy", PolicyType: "config", PolicySubTypes: []string{"run"}, CloudType: "aws", Severity: "high",
		Enabled: true, ComplianceMetadata: []policy.ComplianceMetadata{},
		Rule: policy.Rule{Name: "Go policy", Type: "Config", Criteria: searchId,
			Parameters: map[string]string{"savedSearch": "true", "withIac": "false"}},
	}))
	policyId, err := policy.Identify(client, "Go policy")
	must("policy identify", err)
	written, err := policy.Get(client, policyId)
	must("policy get", err)
	check("policy is as written", written.Rule.Criteria == searchId && written.Severity == "high" && written.PolicyMode == "custom", written)
	written.Severity = "low"
	must("policy update", policy.Update(client, written))
	_, err = policy.Identify(client, "No such policy")
	check("a policy that isn't there isn't found", err == pc.ObjectNotFoundError, err)
	err = policy.Create(client, policy.Policy{Name: "Go policy", PolicyType: "config", Severity: "low",
		Rule: policy.Rule{Name: "x", Type: "Config", Criteria: query, Parameters: map[string]string{}}})
	check("a name that is taken is told", err == pc.AlreadyExistsError, err)

	types, err := integration.Types(client)
	must("integration types", err)
	check("integration types are known", len(types) > 10, types)
	must("inbound create", integration.Create(client, integration.Integration{
		Name: "Go tenable", IntegrationType: "tenable", Enabled: true,
		IntegrationConfig: integration.IntegrationConfig{AccessKey: "a", SecretKey: "b"}}, false))
	inbound, err := integration.Identify(client, "Go tenable", false)
	must("inbound identify", err)
	must("inbound delete", integration.Delete(client, inbound, false))
	hooks := map[string]integration.IntegrationConfig{
		"webhook":          {Url: "https://hooks.example.com/x", Headers: []integration.Header{{Key: "X-Team", Value: "cloud"}}},
		"slack":            {WebHookUrl: "https://hooks.slack.com/services/T000/B000/XXXX"},
		"splunk":           {Url: "https://splunk.example.com:8088/services/collector", AuthToken: "11111111-2222-3333-4444-555555555555", SourceType: "_json"},
		"amazon_sqs":       {QueueUrl: "https://sqs.eu-central-1.amazonaws.com/111122223333/alerts", MoreInfo: true, AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "secret"},
		"microsoft_teams":  {Url: "https://teams.example.com/webhook"},
		"pager_duty":       {IntegrationKey: "0123456789abcdef0123456789abcdef"},
		"service_now":      {HostUrl: "dev1.service-now.com", Login: "l", Password: "p", Tables: []map[string]bool{{"incident": true}}},
		"google_cscc":      {OrgId: "123456789", SourceId: "987654321"},
		"aws_security_hub": {AccountId: "111122223333", Regions: []integration.Region{{Name: "AWS Frankfurt", ApiIdentifier: "eu-central-1", CloudType: "aws", SdkId: "eu-central-1"}}},
	}
	ids := map[string]string{}
	for kind, config := range hooks {
		name := "Go " + kind
		must(kind+" create", integration.Create(client, integration.Integration{
			Name: name, IntegrationType: kind, Enabled: true, IntegrationConfig: config}, true))
		ids[kind], err = integration.Identify(client, name, true)
		must(kind+" identify", err)
		read, err := integration.Get(client, ids[kind], true)
		must(kind+" get", err)
		right := read.IntegrationType == kind && read.IntegrationConfig.Url == config.Url &&
			read.IntegrationConfig.WebHookUrl == config.WebHookUrl && read.IntegrationConfig.QueueUrl == config.QueueUrl &&
			read.IntegrationConfig.HostUrl == config.HostUrl && read.IntegrationConfig.Login == config.Login &&
			len(read.IntegrationConfig.Headers) == len(config.Headers) &&
			len(read.IntegrationConfig.Regions) == len(config.Regions)
		check(kind+" is as written", right, read)
		read.Description = "new"
		must(kind+" update", integration.Update(client, read, true))
	}

	fields := template.TemplateConfigStruct{Open: []template.Config{{FieldName: "state", DisplayName: "State", Type: "text",
		Value: "New", Options: []template.Option{}}}}
	wanted := template.NotificationTemplateRequest{IntegrationType: "service_now", IntegrationId: ids["service_now"],
		Name: "Go template", TemplateConfig: fields, Enabled: true}
	_, err = template.Create(client, wanted)
	must("template create", err)
	templateId, err := template.Identify(client, "Go template")
	must("template identify", err)
	wanted.TemplateConfig.Open[0].Value = "In Progress"
	_, err = template.Update(client, wanted, templateId)
	must("template update", err)
	changed, err := template.Get(client, templateId)
	must("template get", err)
	check("template is as written", changed.TemplateConfig.Open[0].Value == "In Progress", changed)

	ours := rule.Rule{Name: "Go rule", Enabled: true, Policies: []string{policyId}, PolicyLabels: []string{},
		ExcludedPolicies: []string{}, Target: rule.Target{AccountGroups: []string{groupId}}, NotifyOnOpen: true,
		NotificationConfig: []rule.NotificationConfig{{Type: "webhook", Enabled: true, Recipients: []string{ids["webhook"]},
			Frequency: "as_it_happens"}}}
	must("rule create", rule.Create(client, ours))
	ruleId, err := rule.Identify(client, "Go rule")
	must("rule identify", err)
	ruled, err := rule.Get(client, ruleId)
	must("rule get", err)
	check("rule is as written", len(ruled.Policies) == 1 && ruled.Target.AccountGroups[0] == groupId &&
		ruled.NotificationConfig[0].Recipients[0] == ids["webhook"], ruled)
	ruled.Description = "new"
	must("rule update", rule.Update(client, ruled))

	alerts, err := alert.List(client, alert.Request{TimeRange: ever, Limit: 5, Detailed: true,
		Filters: []alert.Filter{{Name: "alert.status", Operator: "=", Value: "open"}}})
	must("alerts list", err)
	check("alerts are there", alerts.Total > 5 && len(alerts.Data) == 5, alerts)
	one, err := alert.Get(client, alerts.Data[0].Id)
	must("alert get", err)
	check("alert has its resource", one.Resource.Rrn != "", one)

	must("rule delete", rule.Delete(client, ruleId, ruled))
	must("template delete", template.Delete(client, templateId))
	for kind, id := range ids {
		must(kind+" delete", integration.Delete(client, id, true))
	}
	must("policy delete", policy.Delete(client, policyId, written))
	must("search delete", history.Delete(client, searchId))
	must("group delete", group.Delete(client, groupId))
	_, err = group.Get(client, groupId)
	check("a group that isn't there isn't found", err == pc.ObjectNotFoundError, err)
	quirks(client, port)
	fmt.Println("done")
}

// What the Terraform provider was seen to do beyond single calls.
func quirks(client *pc.Client, port int) {
	for run := 0; run < 9; run++ { // a provider logs in anew for each phase, and asks for the license before each call
		again := &pc.Client{
			Url: "127.0.0.1", Port: port, Protocol: "http",
			Username: client.Username, Password: client.Password, Logging: map[string]bool{pc.LogQuiet: true},
		}
		if err := again.Initialize(""); err != nil {
			must("login again", err)
		}
		for call := 0; call < 20; call++ {
			var license struct{ PrismaId string }
			if _, err := again.Communicate("GET", []string{"license"}, nil, nil, &license); err != nil || license.PrismaId == "" {
				must("license", fmt.Errorf("%v, prismaId %q", err, license.PrismaId))
			}
		}
	}
	must("nine logins and 180 licenses", nil)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	for _, path := range []string{"/v2/alert/rule?", "/cloud/group?", "/integration?", "/search/history?", "/v2/policy?"} {
		status, _, _ := raw(client, "GET", base+path, "")
		check("list with a bare "+path, status == 200, status)
	}
	status, told, kind := raw(client, "POST", base+"/search/", `{"query": "network from vpc.flow_record where bytes > 0"}`)
	check("network search is refused in words", status == 400 && strings.Contains(told, `"i18nKey"`) && kind == "application/json", told)
	for _, path := range []string{"/alert/rule/none", "/policy/none", "/cloud/group/none", "/integration/none", "/search/history/none"} {
		status, told, kind = raw(client, "GET", base+path, "")
		check("an error names its key at "+path, status == 404 && strings.Contains(told, `"i18nKey"`) && kind == "application/json", told)
	}
}

func raw(client *pc.Client, method, url, body string) (int, string, string) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	must("request", err)
	request.Header.Set("x-redlock-auth", client.JsonWebToken)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	said, err := http.DefaultClient.Do(request)
	must("answer", err)
	defer said.Body.Close()
	return said.StatusCode, said.Header.Get("x-redlock-status"), said.Header.Get("Content-Type")
}
