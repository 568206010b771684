// `server --port PORT`: `GET /v1/users/{id}` as a team would write it with Go and net/http.
//
// The SDK reads the region and the credentials of DynamoDB from the environment. One process uses
// as many threads as GOMAXPROCS says, where the other peers have workers.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	sessionsTable = "roster-sessions"
	usersTable    = "roster-users"
	prefix        = "rst_"
	// 16 bytes of the user's ID and 24 random bytes.
	tokenBytes = 40
)

type session struct {
	Epoch     int64 `dynamodbav:"epoch"`
	ExpiresAt int64 `dynamodbav:"expires_at"`
	EndsAt    int64 `dynamodbav:"ends_at"`
}

type user struct {
	ID            string   `dynamodbav:"id"`
	Username      string   `dynamodbav:"username"`
	Email         string   `dynamodbav:"email"`
	EmailVerified bool     `dynamodbav:"email_verified"`
	FullName      *string  `dynamodbav:"full_name"`
	Locale        *string  `dynamodbav:"locale"`
	Status        string   `dynamodbav:"status"`
	Roles         []string `dynamodbav:"roles"`
	Metadata      string   `dynamodbav:"metadata"`
	Epoch         int64    `dynamodbav:"epoch"`
	CreatedAt     int64    `dynamodbav:"created_at"`
	UpdatedAt     int64    `dynamodbav:"updated_at"`
	LastLoginAt   *int64   `dynamodbav:"last_login_at"`
}

// A user as the API returns it.
type response struct {
	ID            string          `json:"id"`
	Username      string          `json:"username"`
	Email         string          `json:"email"`
	EmailVerified bool            `json:"email_verified"`
	FullName      *string         `json:"full_name"`
	Locale        *string         `json:"locale"`
	Status        string          `json:"status"`
	Roles         []string        `json:"roles"`
	Metadata      json.RawMessage `json:"metadata"`
	CreatedAt     string          `json:"created_at"`
	UpdatedAt     string          `json:"updated_at"`
	LastLoginAt   *string         `json:"last_login_at"`
}

type server struct{ dynamodb *dynamodb.Client }

func main() {
	port := flag.String("port", "", "the port on the loopback address")
	flag.Parse()
	client, err := newClient(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(writer http.ResponseWriter, _ *http.Request) {
		writeJSON(writer, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("/v1/users/", (&server{client}).readUser)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+*port, mux))
}

// newClient returns one client, and so one connection pool, for the lifetime of the process.
func newClient(endpoint string) (*dynamodb.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 50
	transport.MaxIdleConnsPerHost = 50
	settings, err := config.LoadDefaultConfig(
		context.Background(), config.WithHTTPClient(&http.Client{Transport: transport}),
	)
	if err != nil {
		return nil, err
	}
	resolver := dynamodb.EndpointResolverFromURL(endpoint)
	return dynamodb.NewFromConfig(settings, dynamodb.WithEndpointResolver(resolver)), nil
}

// readUser returns a user. Only the user itself and admins may; others get a 404.
func (s *server) readUser(writer http.ResponseWriter, request *http.Request) {
	id := strings.TrimPrefix(request.URL.Path, "/v1/users/")
	caller, other, err := s.authenticate(request, id)
	if err != nil {
		log.Print(err)
		writeJSON(writer, http.StatusInternalServerError, map[string]string{"detail": "Failed."})
		return
	}
	if caller == nil {
		writer.Header().Set("WWW-Authenticate", "Bearer")
		writeJSON(writer, http.StatusUnauthorized, map[string]string{"detail": "Sign in first."})
		return
	}
	found := caller
	if id != caller.ID {
		found = nil
		if isAdmin(caller) {
			found = other
		}
	}
	if found == nil {
		writeJSON(writer, http.StatusNotFound, map[string]string{"detail": "No such user."})
		return
	}
	writeJSON(writer, http.StatusOK, toResponse(found))
}

// authenticate returns the user of a live session, nil without one, and the requested user. It
// reads session, user and requested user in one round trip.
func (s *server) authenticate(request *http.Request, requested string) (*user, *user, error) {
	scheme, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	id, isToken := userIDOf(token)
	if !strings.EqualFold(scheme, "bearer") || !isToken {
		return nil, nil, nil
	}
	digest := sha256.Sum256([]byte(token))
	users := []map[string]types.AttributeValue{keyOf("id", id)}
	// DynamoDB rejects a batch that contains a key twice.
	if requested != id {
		users = append(users, keyOf("id", requested))
	}
	sessionKey := keyOf("user_id", id)
	sessionKey["token_digest"] = &types.AttributeValueMemberS{Value: hex.EncodeToString(digest[:])}
	output, err := s.dynamodb.BatchGetItem(request.Context(), &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{
			sessionsTable: {
				Keys:           []map[string]types.AttributeValue{sessionKey},
				ConsistentRead: aws.Bool(true),
			},
			usersTable: {Keys: users, ConsistentRead: aws.Bool(true)},
		},
	})
	if err != nil {
		return nil, nil, err
	}
	if len(output.UnprocessedKeys) > 0 {
		return nil, nil, errors.New("DynamoDB returned unprocessed keys")
	}
	return liveUser(output, id, requested)
}

func liveUser(output *dynamodb.BatchGetItemOutput, id, requested string) (*user, *user, error) {
	var sessions []session
	var users []user
	if err := attributevalue.UnmarshalListOfMaps(output.Responses[sessionsTable], &sessions); err != nil {
		return nil, nil, err
	}
	if err := attributevalue.UnmarshalListOfMaps(output.Responses[usersTable], &users); err != nil {
		return nil, nil, err
	}
	var caller, other *user
	for index := range users {
		if users[index].ID == id {
			caller = &users[index]
		}
		if users[index].ID == requested {
			other = &users[index]
		}
	}
	if len(sessions) == 0 || caller == nil || !isLive(&sessions[0], caller) {
		return nil, nil, nil
	}
	return caller, other, nil
}

func isLive(found *session, owner *user) bool {
	now := time.Now().UnixMilli()
	isCurrent := owner.Status == "active" && found.Epoch == owner.Epoch
	return isCurrent && now < found.ExpiresAt && now < found.EndsAt
}

func isAdmin(found *user) bool {
	for _, role := range found.Roles {
		if role == "admin" {
			return true
		}
	}
	return false
}

// userIDOf returns the user's ID with which a token begins, so the session is read by its key.
func userIDOf(token string) (string, bool) {
	if !strings.HasPrefix(token, prefix) {
		return "", false
	}
	raw, err := base64.RawURLEncoding.DecodeString(token[len(prefix):])
	if err != nil || len(raw) != tokenBytes {
		return "", false
	}
	id := hex.EncodeToString(raw[:16])
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-"), true
}

func keyOf(name, value string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: &types.AttributeValueMemberS{Value: value}}
}

func toResponse(found *user) response {
	var lastLogin *string
	if found.LastLoginAt != nil {
		lastLogin = aws.String(timestamp(*found.LastLoginAt))
	}
	return response{
		ID:            found.ID,
		Username:      found.Username,
		Email:         found.Email,
		EmailVerified: found.EmailVerified,
		FullName:      found.FullName,
		Locale:        found.Locale,
		Status:        found.Status,
		Roles:         found.Roles,
		Metadata:      json.RawMessage(found.Metadata),
		CreatedAt:     timestamp(found.CreatedAt),
		UpdatedAt:     timestamp(found.UpdatedAt),
		LastLoginAt:   lastLogin,
	}
}

// timestamp returns milliseconds, which the table stores, as the API returns them, in seconds.
func timestamp(milliseconds int64) string {
	return time.UnixMilli(milliseconds).UTC().Format("2006-01-02T15:04:05Z")
}

func writeJSON(writer http.ResponseWriter, status int, body any) {
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(status)
	// The client may be gone; there is nobody to tell.
	_ = json.NewEncoder(writer).Encode(body)
}
