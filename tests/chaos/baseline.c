/* The baseline for the restart time of a container: a static server in an empty image that does as little as possible.
   On port 8001 it answers any request with 200, and exits with code 1 on `GET /traceback`. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

int main(void) {
  int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8001)};
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(server, (struct sockaddr *)&any, sizeof any) < 0 || listen(server, 16) < 0) return 2;
  for (;;) {
    char request[4096];
    int client = accept(server, 0, 0);
    if (client < 0) return 2;
    ssize_t length = read(client, request, sizeof request - 1);
    if (length > 0) {
      request[length] = 0;
      if (strncmp(request, "GET /traceback", 14) == 0) return 1;
      if (write(client, answer, sizeof answer - 1) < 0) return 2;
    }
    close(client);
  }
}
