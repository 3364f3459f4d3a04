module clients

go 1.20

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/paloaltonetworks/prisma-cloud-go v0.8.5 // indirect
)
