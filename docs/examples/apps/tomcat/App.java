// Notes, a servlet on Tomcat: sessions in its memory, or replicated to the other nodes by Tomcat's own DeltaManager.
import jakarta.servlet.http.*;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.ha.tcp.ReplicationValve;
import org.apache.catalina.ha.tcp.SimpleTcpCluster;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.tribes.Channel;
import org.apache.catalina.tribes.group.GroupChannel;
import org.apache.catalina.tribes.group.interceptors.StaticMembershipInterceptor;
import org.apache.catalina.tribes.group.interceptors.TcpFailureDetector;
import org.apache.catalina.tribes.group.interceptors.TcpPingInterceptor;
import org.apache.catalina.tribes.membership.StaticMember;
import org.apache.catalina.tribes.transport.ReceiverBase;

public class App extends HttpServlet {
  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
    HttpSession session = request.getSession();
    String user = (String) session.getAttribute("user");
    switch (request.getMethod() + " " + request.getPathInfo()) {
      case "GET /health" -> response.getWriter().print("well");
      case "POST /login" -> {
        boolean right = System.getenv("PASSWORD").equals(request.getParameter("password"));
        if (right) {
          request.changeSessionId();
          session.setAttribute("user", request.getParameter("user"));
        }
        response.sendRedirect(right ? "/" : "/refused");
      }
      case "POST /note" -> {
        if (user != null) session.setAttribute("note", request.getParameter("note"));
        response.sendRedirect("/");
      }
      case "POST /logout" -> {
        session.invalidate();
        response.sendRedirect("/");
      }
      default -> {
        response.setStatus(user == null ? 403 : 200);
        response.getWriter().printf("<b>%s</b><q>%s</q>", user, session.getAttribute("note"));
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(System.getenv("BASE"));
    Connector connector = new Connector();
    connector.setProperty("address", "127.0.0.1");
    connector.setPort(Integer.parseInt(args[0]));
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", System.getenv("BASE"));
    Tomcat.addServlet(context, "notes", new App());
    context.addServletMappingDecoded("/*", "notes");
    if (System.getenv("PEERS") != null) replicate(tomcat, context, System.getenv("PEER"), System.getenv("PEERS"));
    tomcat.start();
    tomcat.getServer().await();
  }

  static void replicate(Tomcat tomcat, Context context, String own, String others) throws Exception {
    context.setDistributable(true);
    SimpleTcpCluster cluster = new SimpleTcpCluster();
    cluster.setChannelStartOptions(Channel.SND_RX_SEQ | Channel.SND_TX_SEQ); // without multicast
    cluster.addValve(new ReplicationValve());
    GroupChannel channel = (GroupChannel) cluster.getChannel();
    ReceiverBase receiver = (ReceiverBase) channel.getChannelReceiver();
    receiver.setAddress("127.0.0.1");
    receiver.setPort(Integer.parseInt(own.split(":")[1]));
    StaticMembershipInterceptor members = new StaticMembershipInterceptor();
    for (String other : others.split(",")) {
      members.addStaticMember(new StaticMember("127.0.0.1", Integer.parseInt(other.split(":")[1]), 0));
    }
    channel.addInterceptor(new TcpPingInterceptor());
    channel.addInterceptor(new TcpFailureDetector());
    channel.addInterceptor(members);
    tomcat.getEngine().setCluster(cluster);
  }
}
